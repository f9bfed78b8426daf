"""The Layers dock: what lies over what, shown, hidden, re-ordered and renamed."""

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QDropEvent, QIcon, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QTreeWidgetItemIterator,
    QVBoxLayout,
    QWidget,
)

from core import layers
from core.blend import MODES
from core.geometry import Rect, Size
from core.layers import AiLayer, Group, Layer, Node
from core.params import Range
from core.pixels import TILE, Pixels, tile_rect
from editor import theme
from editor.canvas_overlays import picture
from editor.widgets.slider import NumberSlider

if TYPE_CHECKING:
    from core.document import Document
    from editor.app import App

THUMBNAIL = 32
ROW = 40
EYE = 24
DELAY = 120
NODE = Qt.ItemDataRole.UserRole


class LayersPanel(QWidget):
    """A tree of layers, top first, with opacity and blend mode of the active one above it."""

    id = "layers"
    title = "Layers"

    def __init__(self, app: "App") -> None:
        super().__init__()
        self.app = app
        self.tree = LayerTree(self)
        self._opacity = NumberSlider(Range(0, 100, unit="%", step=1), 100, 100, "Opacity", True)
        self._blend = QComboBox()
        self._thumbnails: dict[str, tuple[Node, QIcon]] = {}
        self._leave: list[object] = []
        self._build()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(DELAY)
        self._later.timeout.connect(self._refresh_thumbnails)
        app.studio.opened.connect(self._open)
        self._open(app.studio.document)

    def _build(self) -> None:
        for mode in MODES.values():
            self._blend.addItem(mode.label, mode.id)
        self._blend.activated.connect(self._set_blend)
        self._blend.setToolTip("Blend mode")
        self._blend.setAccessibleName("Blend mode")
        self._opacity.changed.connect(self._set_opacity)
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
        layout.addLayout(self._buttons())

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for name in ("layer-new", "layer-group", "layer-mask", "layer-duplicate", "layer-delete"):
            button = QToolButton()
            button.setDefaultAction(self.app.actions[name])
            button.setIconSize(QSize(theme.ICON, theme.ICON))
            row.addWidget(button)
        row.addStretch(1)
        return row

    @property
    def document(self) -> "Document":
        return self.app.studio.document

    def _open(self, document: "Document") -> None:
        for leave in self._leave:
            if callable(leave):
                leave()
        self._thumbnails.clear()
        self._leave = [
            document.restructured.connect(lambda _: self.refresh()),
            document.changed.connect(lambda _: self._later.start(DELAY)),
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
            self._blend.setCurrentIndex(self._blend.findData(node.blend))
        if not self._later.isActive():
            self._later.start(DELAY)

    def _refresh_thumbnails(self) -> None:
        """Draw one thumbnail that is out of date, and come back for the next."""
        if self.document.is_editing:
            self._later.start(DELAY)
            return
        items = self.tree.items()
        alive = {item.data(0, NODE).id for item in items}
        self._thumbnails = {i: known for i, known in self._thumbnails.items() if i in alive}
        for item in items:
            node: Node = item.data(0, NODE)
            known = self._thumbnails.get(node.id)
            if known is None or known[0] is not node:
                drawn = QIcon(thumbnail(node, self.document.size))
                self._thumbnails[node.id] = (node, drawn)
                item.setIcon(0, drawn)
                self._later.start(0)
                return

    # From the tree to the document

    def _set_opacity(self, value: float) -> None:
        node = self.document.active
        if node is not None:
            changed = replace(node, opacity=value / 100)
            self.document.replace("Opacity", changed, merge=f"opacity {node.id}")

    def _set_blend(self, _: int) -> None:
        node = self.document.active
        if node is not None:
            self.document.replace("Blend mode", replace(node, blend=self._blend.currentData()))

    def toggle(self, node: Node) -> None:
        label = "Hide layer" if node.visible else "Show layer"
        self.document.replace(label, replace(node, visible=not node.visible))

    def rename(self, node: Node, name: str) -> None:
        if name.strip() and name != node.name:
            self.document.replace("Rename layer", replace(node, name=name.strip()))

    def menu(self, at: QPoint) -> QMenu:
        """The context menu of the active layer."""
        menu = QMenu(self)
        for name in (
            "layer-duplicate",
            "layer-merge",
            "layer-mask",
            "layer-unmask",
            "layer-delete",
        ):
            menu.addAction(self.app.actions[name])
        if isinstance(self.document.active, AiLayer):
            menu.addSeparator()
            for name in ("ai-run", "ai-freeze", "ai-compare", "ai-copy", "ai-mask"):
                menu.addAction(self.app.actions[name])
        return menu


class LayerTree(QTreeWidget):
    """Rows with eye, thumbnail, kind and name; dragging moves layers.

    Alt on an eye shows the picture without that layer for as long as it is held.
    """

    def __init__(self, panel: LayersPanel) -> None:
        super().__init__(panel)
        self.panel = panel
        self._is_showing = False
        self._holds_back = False
        self.setHeaderHidden(True)
        self.setIndentation(12)
        self.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setItemDelegate(LayerRow(self))
        self.setAccessibleName("Layers")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(
            lambda at: panel.menu(at).exec(self.viewport().mapToGlobal(at))
        )
        self.currentItemChanged.connect(self._chosen)
        self.itemChanged.connect(self._renamed)

    def items(self) -> list[QTreeWidgetItem]:
        """All rows from top to bottom."""
        walk = QTreeWidgetItemIterator(self)
        found: list[QTreeWidgetItem] = []
        while (item := walk.value()) is not None:
            found.append(item)
            walk += 1
        return found

    def show_root(self, document: "Document") -> None:
        self._is_showing = True
        icons = {item.data(0, NODE).id: item.icon(0) for item in self.items()}
        closed = {item.data(0, NODE).id for item in self.items() if not item.isExpanded()}
        self.clear()
        self._add(document.root, self.invisibleRootItem(), icons, closed, document.state.active)
        self._is_showing = False

    def _add(
        self,
        group: Group,
        parent: QTreeWidgetItem,
        icons: dict[str, QIcon],
        closed: set[str],
        active: str,
    ) -> None:
        for node in reversed(group.children):
            item = QTreeWidgetItem(parent, [node.name])
            item.setData(0, NODE, node)
            item.setIcon(0, icons.get(node.id, QIcon()))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            if isinstance(node, Group):
                self._add(node, item, icons, closed, active)
                item.setExpanded(node.id not in closed or not icons)
            else:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsDropEnabled)
            if node.id == active:
                self.setCurrentItem(item)

    def _chosen(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and not self._is_showing:
            node_id = item.data(0, NODE).id
            # Rebuilding the rows while Qt still handles the click on one of them would end badly.
            QTimer.singleShot(0, self, lambda: self.panel.document.activate(node_id))

    def _renamed(self, item: QTreeWidgetItem) -> None:
        if not self._is_showing and item.text(0) != item.data(0, NODE).name:
            node, name = item.data(0, NODE), item.text(0)
            QTimer.singleShot(0, self, lambda: self.panel.rename(node, name))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        item = self.itemAt(event.position().toPoint())
        if item is not None and eye_rect(self.visualItemRect(item)).contains(
            event.position().toPoint()
        ):
            node: Node = item.data(0, NODE)
            if event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self._holds_back = True
                self.panel.app.window.compare.show_layer(node.id)
            else:
                self.panel.toggle(node)
            return
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._holds_back:
            self._holds_back = False
            self.panel.app.window.compare.show_layer("")
            return
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        item = self.itemAt(event.position().toPoint())
        if item is not None and not eye_rect(self.visualItemRect(item)).contains(
            event.position().toPoint()
        ):
            self.editItem(item, 0)

    def dropEvent(self, event: QDropEvent) -> None:
        """Move the layer in the document; the rows follow from there."""
        dragged = self.currentItem()
        if dragged is None:
            return
        node: Node = dragged.data(0, NODE)
        target = self.itemAt(event.position().toPoint())
        where = self.dropIndicatorPosition()
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        root = _dropped(self.panel.document.root, node, target, where)
        if root is not None:
            document = self.panel.document
            QTimer.singleShot(0, self, lambda: document.change("Move layer in the stack", root))


Where = QAbstractItemView.DropIndicatorPosition


def _dropped(root: Group, node: Node, target: QTreeWidgetItem | None, where: Where) -> Group | None:
    """The tree with a node dropped at a row; None where it cannot go."""
    there: Node | None = target.data(0, NODE) if target is not None else None
    if there is None:
        return layers.inserted(layers.removed(root, node.id), root.id, 0, node)
    if there.id == node.id or (isinstance(node, Group) and layers.find(node, there.id)):
        return None
    bare = layers.removed(root, node.id)
    if where is Where.OnItem and isinstance(there, Group):
        return layers.inserted(bare, there.id, len(there.children), node)
    parent = layers.parent_of(bare, there.id)
    if parent is None:
        return None
    place = [child.id for child in parent.children].index(there.id)
    return layers.inserted(bare, parent.id, place + (where is not Where.BelowItem), node)


class LayerRow(QStyledItemDelegate):
    """Draws eye, thumbnail, kind mark, name and opacity of one row."""

    def __init__(self, tree: LayerTree) -> None:
        super().__init__(tree)
        self.tree = tree

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        node: Node = index.data(NODE)
        tokens = self.tree.panel.app.tokens
        rect: QRect = option.rect
        state = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(tokens.raised))
            painter.fillRect(
                QRect(rect.left(), rect.top(), 2, rect.height()), QColor(tokens.accent)
            )
        eye = theme.pixmap("eye" if node.visible else "eye-off", tokens.text, 16, 2)
        painter.setOpacity(1.0 if node.visible else 0.5)
        painter.drawPixmap(eye_rect(rect).center() - QPoint(8, 8), eye)
        box = QRect(
            rect.left() + EYE + 4, rect.top() + (ROW - THUMBNAIL) // 2, THUMBNAIL, THUMBNAIL
        )
        icon: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
        icon.paint(painter, box)
        painter.setPen(QColor(tokens.line))
        painter.drawRect(box)
        self._words(painter, rect, box.right() + 8, node)
        painter.restore()

    def _words(self, painter: QPainter, rect: QRect, left: int, node: Node) -> None:
        tokens = self.tree.panel.app.tokens
        mark = {"ai": "sparkles", "group": "folder"}.get(node.kind, "")
        if mark:
            colour = tokens.accent if node.kind == "ai" else tokens.dim
            painter.drawPixmap(left, rect.center().y() - 7, theme.pixmap(mark, colour, 14, 2))
            left += 20
        right = rect.right() - 8
        notes = self._notes(node)
        if notes:
            painter.setPen(QColor(tokens.dim))
            width = painter.fontMetrics().horizontalAdvance(notes)
            painter.drawText(QRect(right - width, rect.top(), width + 2, ROW), _MIDDLE, notes)
            right -= width + 8
        painter.setPen(QColor(tokens.text))
        room = QRect(left, rect.top(), right - left, ROW)
        name = painter.fontMetrics().elidedText(
            node.name, Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, _MIDDLE, name)

    def _notes(self, node: Node) -> str:
        parts = []
        if isinstance(node, AiLayer):
            state = self.tree.panel.app.ai.state_of(node)
            parts += [state] if state else []
        if node.mask is not None:
            parts.append("mask")
        if node.blend != "normal":
            parts.append(MODES[node.blend].label.lower())
        if node.opacity < 1:
            parts.append(f"{node.opacity:.0%}")
        return "  ".join(parts)

    def updateEditorGeometry(
        self,
        editor: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        editor.setGeometry(option.rect.adjusted(EYE + THUMBNAIL + 10, 6, -6, -6))


_MIDDLE = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)


def eye_rect(row: QRect) -> QRect:
    """Where a row's eye is; it can be clicked with room to spare."""
    return QRect(row.left(), row.top(), EYE + 2, row.height())


def thumbnail(node: Node, canvas: Size) -> QPixmap:
    """A small picture of what one layer holds, on grey; a group is empty grey."""
    scale = max(canvas) / THUMBNAIL
    width, height = (max(1, round(side / scale)) for side in canvas)
    small = np.zeros((height, width, 4), np.uint8)
    if isinstance(node, Layer):
        _sample(small, node, scale)
    pixmap = QPixmap(THUMBNAIL, THUMBNAIL)
    pixmap.fill(QColor("#8a8a8a"))
    painter = QPainter(pixmap)
    painter.drawImage((THUMBNAIL - width) // 2, (THUMBNAIL - height) // 2, picture(small))
    painter.end()
    return pixmap


def _sample(small: Pixels, layer: Layer, scale: float) -> None:
    """Every so-manieth pixel of each tile: quick, and good enough at 32 pixels a side."""
    step = max(1, int(scale / 2))
    for key, tile in layer.tiles.items():
        place = tile_rect(key).moved(*layer.position)
        left, top = int(place.x / scale), int(place.y / scale)
        side = max(1, round(TILE / scale))
        sampled = np.ascontiguousarray(tile.pixels[::step, ::step])
        shrunk = cv2.resize(sampled, (side, side), interpolation=cv2.INTER_AREA)
        spot = Rect(left, top, side, side) & Rect(0, 0, small.shape[1], small.shape[0])
        if spot:
            small[spot.slices] = shrunk[spot.moved(-left, -top).slices]
