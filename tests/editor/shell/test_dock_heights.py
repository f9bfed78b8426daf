"""Rows of docks: least heights first, then what they should have, then the rest for all."""

import pytest

from editor.shell.dock_heights import Row, share_height

ROWS = {"ai": Row(200, 384), "layers": Row(150, 372), "colour": Row(136, 136)}


@pytest.mark.parametrize(
    ("height", "expected"),
    [
        (486, (200, 150, 136)),
        (586, (300, 150, 136)),
        (770, (384, 250, 136)),
        (892, (384, 372, 136)),
        (922, (394, 382, 146)),
        (100, (200, 150, 136)),
    ],
)
def test_rows_share_the_height(height: int, expected: tuple[int, ...]) -> None:
    assert tuple(share_height(ROWS, height).values()) == expected


def test_nothing_is_shared_by_nobody() -> None:
    assert share_height({}, 300) == {}
    assert sum(share_height(ROWS, 1000).values()) == 1000
