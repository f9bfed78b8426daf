"""The rows of the Layers dock, and the clicks and drags on them."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QDropEvent, QIcon, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QTreeWidget,
    QTreeWidgetItem,
    QTreeWidgetItemIterator,
)

from core.errors import readable
from core.paint import layers
from core.paint.layers import Group, Node
from editor.panels.layers_row import MASKS, NODE, LayerRow, eye_rect, plane_rect, row_planes
from editor.panels.layers_thumbnail import THUMBNAIL_SIDE

if TYPE_CHECKING:
    from core.paint.document import Document
    from editor.panels.layers import LayersPanel

Where = QAbstractItemView.DropIndicatorPosition


class LayerTree(QTreeWidget):
    """Rows with eye, thumbnail, kind and name; dragging moves layers.

    Alt on an eye shows the picture without that layer for as long as it is held.
    """

    def __init__(self, panel: "LayersPanel") -> None:
        super().__init__(panel)
        self.panel = panel
        self._is_showing = False
        self._is_hiding_layer = False
        self.setHeaderHidden(True)
        self.setIndentation(12)
        self.setIconSize(QSize(THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setItemDelegate(LayerRow(panel.session, self))
        self.setAccessibleName("Layers")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(
            lambda at: panel.make_menu(at).exec(self.viewport().mapToGlobal(at))
        )
        self.currentItemChanged.connect(self._on_chosen)
        self.itemChanged.connect(self._on_renamed)

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
        masks = {item.data(0, NODE).id: item.data(0, MASKS) for item in self.items()}
        closed = {item.data(0, NODE).id for item in self.items() if not item.isExpanded()}
        self.clear()
        self._add_rows(
            document.root, self.invisibleRootItem(), icons, closed, document.state.active
        )
        for item in self.items():
            item.setData(0, MASKS, masks.get(item.data(0, NODE).id))
        self._is_showing = False

    def _add_rows(
        self,
        group: Group,
        parent: QTreeWidgetItem,
        icons: dict[str, QIcon],
        closed: set[str],
        active: str,
    ) -> None:
        for node in reversed(group.children):
            item = QTreeWidgetItem(parent, [readable(node.name)])
            item.setData(0, NODE, node)
            item.setIcon(0, icons.get(node.id, QIcon()))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            if isinstance(node, Group):
                self._add_rows(node, item, icons, closed, active)
                item.setExpanded(node.id not in closed or not icons)
            else:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsDropEnabled)
            if node.id == active:
                self.setCurrentItem(item)

    def _on_chosen(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and not self._is_showing:
            node_id = item.data(0, NODE).id
            # Rebuilding the rows while Qt still handles the click on one of them would end badly.
            QTimer.singleShot(0, self, lambda: self.panel.document.activate(node_id))

    def _on_renamed(self, item: QTreeWidgetItem) -> None:
        if not self._is_showing and item.text(0) != readable(item.data(0, NODE).name):
            node, name = item.data(0, NODE), item.text(0)
            QTimer.singleShot(0, self, lambda: self.panel.rename(node, name))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        item = self.itemAt(at)
        if item is not None and self._is_eye(item, at):
            self._press_eye(item.data(0, NODE), event.modifiers())
            return
        plane = self._plane_at(item, at) if item is not None else ""
        if item is not None and plane:
            self._press_plane(item.data(0, NODE), plane, event.modifiers())
        super().mousePressEvent(event)

    def _is_eye(self, item: QTreeWidgetItem, at: QPoint) -> bool:
        return eye_rect(self.visualItemRect(item)).contains(at)

    def _plane_at(self, item: QTreeWidgetItem, at: QPoint) -> str:
        """The plane whose thumbnail lies under a place; empty when there is none."""
        row = self.visualItemRect(item)
        names = row_planes(item.data(0, NODE))
        return next((n for i, n in enumerate(names) if plane_rect(row, i).contains(at)), "")

    def _press_plane(self, node: Node, plane: str, keys: Qt.KeyboardModifier) -> None:
        """Choose what is painted on; Shift switches a mask off or on, Alt shows it."""
        if keys & Qt.KeyboardModifier.AltModifier and plane != "pixels":
            self.panel.session.canvas.mask_overlay.toggle()
        document, is_off = self.panel.document, bool(keys & Qt.KeyboardModifier.ShiftModifier)
        if is_off and node.mask is not None and plane == "mask":
            QTimer.singleShot(0, self, lambda: self.panel.toggle_mask(node.id))
        else:
            QTimer.singleShot(0, self, lambda: document.choose_plane(node.id, plane))

    def _press_eye(self, node: Node, keys: Qt.KeyboardModifier) -> None:
        if keys & Qt.KeyboardModifier.AltModifier:
            self._is_hiding_layer = True
            self.panel.session.compare.show_layer(node.id)
        else:
            self.panel.toggle_visibility(node)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._is_hiding_layer:
            self._is_hiding_layer = False
            self.panel.session.compare.show_layer("")
            return
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        item = self.itemAt(at)
        if item is not None and not self._is_eye(item, at):
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
        root = _drop_node(self.panel.document.root, node, target, where)
        if root is not None:
            document = self.panel.document
            QTimer.singleShot(0, self, lambda: document.change("Move layer in the stack", root))


def _drop_node(
    root: Group, node: Node, target: QTreeWidgetItem | None, where: Where
) -> Group | None:
    """The tree with a node dropped at a row; None where it cannot go."""
    there: Node | None = target.data(0, NODE) if target is not None else None
    if there is None:
        return layers.insert_node(layers.remove_node(root, node.id), root.id, 0, node)
    if there.id == node.id or (isinstance(node, Group) and layers.find(node, there.id)):
        return None
    bare = layers.remove_node(root, node.id)
    if where is Where.OnItem and isinstance(there, Group):
        return layers.insert_node(bare, there.id, len(there.children), node)
    parent = layers.parent_of(bare, there.id)
    if parent is None:
        return None
    place = [child.id for child in parent.children].index(there.id)
    return layers.insert_node(bare, parent.id, place + (where is not Where.BelowItem), node)
