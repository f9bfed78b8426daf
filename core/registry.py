"""Registries: features register under an id; menus, forms and tests list them."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Generic, TypeVar

from core.errors import EditorError, PluginError

T = TypeVar("T")


class Registry(Generic[T]):
    """Classes (or functions) by id, iterated in id order; an id can be taken once.

    ``protocol`` is what every item must declare.
    """

    def __init__(self, kind: str, protocol: type[Any] | None = None) -> None:
        self.kind = kind
        self.protocol = protocol
        self._items: dict[str, T] = {}

    def register(self, item: T) -> T:
        """Class decorator: keep the item under its ``id``.

        Raises PluginError naming what the protocol asks for and the item does not declare, and
        ValueError when the id is taken.
        """
        name = str(getattr(item, "id", None) or getattr(item, "__name__", ""))
        self._refuse_incomplete(item, name)
        taken = self._items.get(name)
        if taken is not None and _home(taken) != _home(item):
            raise ValueError(f"{self.kind} id {name!r} is in {_home(taken)} and in {_home(item)}")
        self._items[name] = item
        return item

    def _refuse_incomplete(self, item: T, name: str) -> None:
        if self.protocol is None:
            return
        missing = [member for member in members(self.protocol) if not hasattr(item, member)]
        if missing:
            raise PluginError(
                f"The {self.kind} {name!r} in {_home(item)} does not declare {', '.join(missing)}: "
                f"see {self.protocol.__name__} in {self.protocol.__module__}."
            )

    def __getitem__(self, name: str) -> T:
        """The item with an id. Raises EditorError when there is none."""
        if name not in self._items:
            known = ", ".join(self.ids()) or "none"
            raise EditorError(f"There is no {self.kind} called {name!r}; there are: {known}.")
        return self._items[name]

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[T]:
        return iter([self._items[name] for name in self.ids()])

    def __len__(self) -> int:
        return len(self._items)

    def ids(self) -> list[str]:
        """Every id, sorted."""
        return sorted(self._items)


def members(protocol: type[Any]) -> list[str]:
    """The public attributes and methods that a Protocol asks for, sorted."""
    names = {*vars(protocol), *vars(protocol).get("__annotations__", {})}
    return sorted(name for name in names if not name.startswith("_"))


def _home(item: object) -> str:
    return f"{getattr(item, '__module__', '?')}.{getattr(item, '__qualname__', item)}"


def load_all(package: ModuleType) -> None:
    """Import every module below the package, so that each registers its features."""
    prefix = package.__name__ + "."
    for found in pkgutil.walk_packages(package.__path__, prefix):
        importlib.import_module(found.name)
