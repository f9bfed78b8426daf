"""Versions of stored data: steps from old to new, and refusal of what is newer."""

from typing import Any

import pytest

from core.errors import FileError, VersionError
from core.versions.schema import Schema


def rename(data: dict[str, Any]) -> dict[str, Any]:
    return {"colour": data["color"]}


def mark(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "marked": True}


PLAIN, THIRD = Schema("note"), Schema("note", (rename, mark))


def test_the_version_follows_from_the_steps() -> None:
    assert (PLAIN.version, THIRD.version) == (1, 3)
    assert THIRD.stamp({"colour": 1}) == {"version": 3, "colour": 1}


@pytest.mark.parametrize("data", [{}, {"version": None}, {"version": "2"}, {"version": -1}, [], 3])
def test_what_has_no_version_is_the_first(data: object) -> None:
    assert THIRD.version_of(data) == 1


def test_old_data_takes_the_steps_that_are_left() -> None:
    new = {"colour": "red", "marked": True}
    assert THIRD.migrate({"color": "red"}) == new
    assert THIRD.migrate({"version": 1, "color": "red"}) == new
    assert THIRD.migrate({"version": 2, "colour": "red"}) == new
    assert THIRD.migrate({"colour": "red"}, version=2) == new
    assert THIRD.migrate(THIRD.stamp(new)) == new


def test_the_data_itself_stays_as_it_is() -> None:
    data = {"version": 1, "color": "red"}
    THIRD.migrate(data)
    assert data == {"version": 1, "color": "red"}


def test_newer_data_is_refused_in_one_sentence() -> None:
    with pytest.raises(VersionError, match="note is of version 4.*up to version 3") as caught:
        THIRD.migrate({"version": 4})
    assert caught.value.version == 4
    assert "\n" not in str(caught.value)


def test_data_that_a_step_cannot_use_is_a_file_error() -> None:
    with pytest.raises(FileError, match="version 1 cannot be brought up to date"):
        THIRD.migrate({"shape": "round"})
