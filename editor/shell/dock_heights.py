"""How the rows of docks share the height of the window."""

from collections.abc import Mapping
from typing import NamedTuple


class Row(NamedTuple):
    """A row's least height, and the height that it should have if there is room; in pixels."""

    least: int
    wanted: int


def share_height(rows: Mapping[str, Row], height: int) -> dict[str, int]:
    """Heights by row, in all the height given.

    Every row gets its least height first. What is left fills the rows up to what they should have,
    the first one first, and the rest is shared by all.
    """
    heights = {name: row.least for name, row in rows.items()}
    left = max(0, height - sum(heights.values()))
    for name, row in rows.items():
        more = min(left, max(0, row.wanted - row.least))
        heights[name] += more
        left -= more
    for number, name in enumerate(rows):
        share = left // (len(rows) - number)
        heights[name] += share
        left -= share
    return heights
