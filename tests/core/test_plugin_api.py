"""What plugins may rely on: every name listed is there, and nothing is there unlisted."""

from types import ModuleType

from core import plugin_api


def test_the_list_is_exactly_what_is_there() -> None:
    found = {
        name
        for name, value in vars(plugin_api).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(plugin_api.__all__) == found
    assert len(plugin_api.__all__) == len(found)
