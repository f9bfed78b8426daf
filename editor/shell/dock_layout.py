"""The docks at the right of the window: their rows, their tabs, and the heights they keep."""

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QByteArray, QObject, Qt, QTimer
from PySide6.QtWidgets import QTabBar

from editor.panels.panel import panels
from editor.shell.dock_heights import Row, share_height

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDockWidget, QMainWindow

LOW = 860
"""Logical pixels of the window's height below which rows that need not be rows are tabs."""
WIDTH = 344
PASSES = 3
"""How often docks are arranged: a bar of tabs takes its height from them only afterwards."""
DIRECT = Qt.FindChildOption.FindDirectChildrenOnly
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea


class _Shown(NamedTuple):
    """A row as it is on the screen: the dock in front, and what the row needs and should have."""

    dock: "QDockWidget"
    row: Row


class DockLayout(QObject):
    """Gives every row its height when the window is shown or resized, until docks are moved.

    ``rows`` are heights, and ``width`` the width, that a person gave by dragging: that is what the
    docks want from then on.
    """

    def __init__(self, window: "QMainWindow", docks: "dict[str, QDockWidget]") -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self.rows: dict[str, int] = {}
        self.width = WIDTH
        self.is_rearranged = False
        self._is_low: bool | None = None
        self._is_ours = False
        self._before_hiding: QByteArray | None = None
        self._at_press: dict[str, tuple[int, int]] = {}
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._on_time)
        self._passes = 0

    def watch(self, dock: "QDockWidget") -> None:
        """Note when a person moves a dock elsewhere."""
        dock.dockLocationChanged.connect(lambda _: self._on_moved())
        dock.topLevelChanged.connect(lambda _: self._on_moved())

    def _on_moved(self) -> None:
        if not self._is_ours and self._window.isVisible():
            self.is_rearranged = True

    # Heights

    def arrange_soon(self) -> None:
        """Arrange once Qt has laid out the window, which it must have before docks take a size."""
        self._passes = PASSES
        self._timer.start()

    def _on_time(self) -> None:
        self._passes -= 1
        self._arrange()
        if self._passes > 0:
            self._timer.start()

    def _arrange(self) -> None:
        """Give all rows their heights, as the window is now."""
        if self.is_rearranged or self._before_hiding is not None or not self._window.isVisible():
            return
        if (self._window.height() < LOW) != self._is_low:
            self._stack(self._window.height() < LOW)
            self._passes = PASSES
            return
        shown = self._shown_rows()
        docks = [one.dock for one in shown.values()]
        total = sum(dock.height() for dock in docks)
        heights = share_height({name: one.row for name, one in shown.items()}, total)
        # Qt counts the bar of tabs to the height it is asked for.
        asked = [heights[name] + self._bar_height(one.dock) for name, one in shown.items()]
        self._window.resizeDocks(docks, asked, Qt.Orientation.Vertical)
        self._window.resizeDocks(docks, [self.width] * len(docks), Qt.Orientation.Horizontal)

    def note_press(self) -> None:
        """Remember the sizes before what may become a drag between two docks."""
        self._at_press = self._sizes()

    def note_release(self) -> None:
        """Keep the sizes that a drag between docks has given them."""
        sizes, before = self._sizes(), self._at_press
        if self.is_rearranged or not before or sizes == before:
            return
        for name, (width, height) in sizes.items():
            if height != before.get(name, (0, height))[1]:
                self.rows = {name: size[1] for name, size in sizes.items()}
            self.width = width

    def _sizes(self) -> dict[str, tuple[int, int]]:
        shown = self._shown_rows()
        return {name: (one.dock.width(), one.dock.height()) for name, one in shown.items()}

    def _shown_rows(self) -> dict[str, _Shown]:
        """The rows in sight from the top; a row of tabs has the name of its first one."""
        rows: dict[str, _Shown] = {}
        seen: set[QDockWidget] = set()
        for name in self._order():
            dock = self._docks[name]
            if dock.isHidden() or dock.isFloating() or dock in seen:
                continue
            group = [dock, *self._window.tabifiedDockWidgets(dock)]
            seen.update(group)
            front = next((one for one in group if not one.visibleRegion().isEmpty()), dock)
            least = max(one.minimumSizeHint().height() for one in group)
            rows[name] = _Shown(front, Row(least, self.rows.get(name, self._usual_height(name))))
        return rows

    def _bar_height(self, dock: "QDockWidget") -> int:
        """How high the bar of tabs below a dock is, 0 where it has none."""
        below = dock.geometry().adjusted(0, dock.height(), 0, 1)
        bars = self._window.findChildren(QTabBar, options=DIRECT)
        beside = [bar for bar in bars if bar.isVisible() and bar.geometry().intersects(below)]
        return beside[0].height() if beside and self._window.tabifiedDockWidgets(dock) else 0

    def _order(self) -> list[str]:
        """All docks: panels by their positions, then those that plugins made themselves."""
        kinds = sorted(panels, key=lambda kind: kind.place.position)
        known = [kind.id for kind in kinds if kind.id in self._docks]
        return known + [name for name in self._docks if name not in known]

    def _usual_height(self, name: str) -> int:
        return panels[name].place.height if name in panels else 0

    # Rows and tabs

    def stack(self, height: int) -> None:
        """Make rows and tabs for a window of this height, before it is shown."""
        self._stack(height < LOW)

    def _stack(self, is_low: bool) -> None:
        """Put every dock into its row, or behind the last row that may have tabs."""
        shown = [name for name in self._order() if not self._docks[name].isHidden()]
        rows = [name for name in self._order() if not is_tab(name, is_low)]
        last = [name for name in rows if name in panels][-1]
        self._is_ours = True
        for dock in self._docks.values():
            self._window.removeDockWidget(dock)
        for name in rows:
            self._window.addDockWidget(RIGHT, self._docks[name])
        for name in self._order():
            if name not in rows:
                self._window.addDockWidget(RIGHT, self._docks[name])
                self._window.tabifyDockWidget(self._docks[last], self._docks[name])
        for name in shown:
            self._docks[name].show()
        self._docks[last].raise_()
        self._is_low, self._is_ours = is_low, False

    # All of it

    def toggle(self) -> None:
        """Hide all docks, or show them as they were."""
        if self._before_hiding is not None:
            state, self._before_hiding = self._before_hiding, None
            self.restore(state)
            self.arrange_soon()
            return
        self._before_hiding = self._window.saveState()
        for dock in self._docks.values():
            dock.hide()

    @property
    def state(self) -> QByteArray:
        """The docks as they are, or as they were before all were hidden."""
        return self._window.saveState() if self._before_hiding is None else self._before_hiding

    def restore(self, state: QByteArray) -> bool:
        """Put docks as a state has them; False when it is none."""
        self._is_ours = True
        is_restored = self._window.restoreState(state)
        self._is_ours = False
        if is_restored:
            rows = [name for name in self._order() if is_tab(name, is_low=True)]
            self._is_low = any(self._is_behind_a_row(name) for name in rows)
        return is_restored

    def _is_behind_a_row(self, name: str) -> bool:
        """Whether a dock is a tab of one that is a row even in a low window."""
        beside = self._window.tabifiedDockWidgets(self._docks[name])
        return any(self._docks[n] in beside for n in self._order() if not is_tab(n, is_low=True))


def is_tab(name: str, is_low: bool) -> bool:
    """Whether a dock stands behind the last row; one that a plugin made has a row of its own."""
    if name not in panels:
        return False
    place = panels[name].place
    return place.is_tab or (is_low and place.is_tab_when_low)
