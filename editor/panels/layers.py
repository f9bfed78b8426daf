"""The Layers dock: shows the stack of layers; hides, orders and renames them."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QPoint, QSize, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.paint.blend_modes import MODES, blend_mode
from core.paint.layers import AiLayer, Node
from core.params import Range
from editor.panels.layers_row import MASKS, NODE, row_planes
from editor.panels.layers_thumbnail import make_plane_thumbnail, make_thumbnail
from editor.panels.layers_tree import LayerTree
from editor.panels.panel import Place, panels
from editor.widgets import theme
from editor.widgets.slider import NumberSlider

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.paint.document import Document
    from editor.session import Session

THUMBNAIL_DELAY = 120


@panels.register
class LayersPanel(QWidget):
    """A tree of layers, top first, with opacity and blend mode of the active one above it."""

    id: ClassVar[str] = "layers"
    title: ClassVar[str] = "Layers"
    place: ClassVar[Place] = Place(20, height=380)

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self.session = session
        self.tree = LayerTree(self)
        self._opacity = NumberSlider(Range(0, 100, unit="%", step=1), 100, 100, "Opacity", True)
        self._blend = QComboBox()
        self._thumbnails: dict[str, tuple[Node, QIcon]] = {}
        self._disconnect: list[Callable[[], None]] = []
        self._lay_out()
        self._thumbnail_timer = QTimer(self)
        self._thumbnail_timer.setSingleShot(True)
        self._thumbnail_timer.setInterval(THUMBNAIL_DELAY)
        self._thumbnail_timer.timeout.connect(self._refresh_thumbnails)
        session.jobs.changed.connect(lambda _: self.tree.viewport().update())
        session.studio.opened.connect(self._on_document_opened)
        self._on_document_opened(session.studio.document)

    def _lay_out(self) -> None:
        for mode in MODES.values():
            self._blend.addItem(mode.label, mode.id)
        self._blend.activated.connect(self._on_blend)
        self._blend.setToolTip("Blend mode")
        self._blend.setAccessibleName("Blend mode")
        self._opacity.changed.connect(self._on_opacity)
        self._opacity.settled.connect(lambda _: self.document.history.seal())
        top = QHBoxLayout()
        top.addWidget(self._blend, 1)
        top.addWidget(self._opacity, 1)
        self._empty = QLabel("No layers yet: add one with +")
        self._empty.setProperty("role", "dim")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 4)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._empty)
        layout.addWidget(self.tree, 1)
        layout.addLayout(self._make_buttons())

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for name in ("layer-new", "layer-group", "layer-mask", "layer-duplicate", "layer-delete"):
            button = QToolButton()
            button.setDefaultAction(self.session.actions[name])
            button.setIconSize(QSize(theme.ICON, theme.ICON))
            row.addWidget(button)
        row.addStretch(1)
        return row

    @property
    def document(self) -> "Document":
        return self.session.studio.document

    def _on_document_opened(self, document: "Document") -> None:
        for disconnect in self._disconnect:
            disconnect()
        self._thumbnails.clear()
        self._disconnect = [
            document.restructured.connect(lambda _: self.refresh()),
            document.changed.connect(lambda _: self._thumbnail_timer.start(THUMBNAIL_DELAY)),
        ]
        self.refresh()

    # From the document to the tree

    def refresh(self) -> None:
        """Show the tree as it is now."""
        self.tree.show_root(self.document)
        node = self.document.active
        for widget in (self._opacity, self._blend):
            widget.setEnabled(node is not None)
        self._empty.setVisible(not self.document.root.children)
        if node is not None:
            self._opacity.set_value(node.opacity * 100)
            if self._blend.findData(node.blend) < 0:
                self._blend.addItem(blend_mode(node.blend).label, node.blend)
            self._blend.setCurrentIndex(self._blend.findData(node.blend))
        if not self._thumbnail_timer.isActive():
            self._thumbnail_timer.start(THUMBNAIL_DELAY)

    def _refresh_thumbnails(self) -> None:
        """Draw one thumbnail that is out of date, and come back for the next."""
        if self.document.is_editing:
            self._thumbnail_timer.start(THUMBNAIL_DELAY)
            return
        items = self.tree.items()
        alive = {item.data(0, NODE).id for item in items}
        self._thumbnails = {i: known for i, known in self._thumbnails.items() if i in alive}
        for item in items:
            node: Node = item.data(0, NODE)
            known = self._thumbnails.get(node.id)
            if known is None or known[0] is not node:
                drawn = QIcon(make_thumbnail(node, self.document.size))
                self._thumbnails[node.id] = (node, drawn)
                item.setIcon(0, drawn)
                names = row_planes(node)[1:]
                size = self.document.size
                small = [QIcon(make_plane_thumbnail(node, name, size)) for name in names]
                item.setData(0, MASKS, small)
                self._thumbnail_timer.start(0)
                return

    # From the tree to the document

    def _on_opacity(self, value: float) -> None:
        node = self.document.active
        if node is not None:
            changed = replace(node, opacity=value / 100)
            self.document.replace("Opacity", changed, merge=f"opacity {node.id}")

    def _on_blend(self, _: int) -> None:
        node = self.document.active
        if node is not None:
            self.document.replace("Blend mode", replace(node, blend=self._blend.currentData()))

    def toggle_visibility(self, node: Node) -> None:
        label = "Hide layer" if node.visible else "Show layer"
        self.document.replace(label, replace(node, visible=not node.visible))

    def toggle_mask(self, node_id: str) -> None:
        """Switch the mask of a layer off or on; the layer is active afterwards."""
        self.document.activate(node_id)
        self.session.actions.run("mask-off")

    def rename(self, node: Node, name: str) -> None:
        if name.strip() and name != node.name:
            self.document.replace("Rename layer", replace(node, name=name.strip()))

    def make_menu(self, at: QPoint) -> QMenu:
        """The context menu of the active layer."""
        menu = QMenu(self)
        for name in (
            "layer-duplicate",
            "layer-merge",
            "layer-mask",
            "mask-paint",
            "mask-invert",
            "mask-off",
            "mask-show",
            "layer-unmask",
            "layer-delete",
        ):
            menu.addAction(self.session.actions[name])
        if isinstance(self.document.active, AiLayer):
            menu.addSeparator()
            for name in ("ai-run", "ai-freeze", "ai-compare", "ai-copy", "ai-mask"):
                menu.addAction(self.session.actions[name])
        return menu
