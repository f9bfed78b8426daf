"""Draws one row of the Layers dock."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from core.errors import readable
from core.paint.blend_modes import blend_mode
from core.paint.layers import AiLayer, Node, planes
from editor.panels.layers_thumbnail import THUMBNAIL_SIDE
from editor.widgets import theme

if TYPE_CHECKING:
    from editor.session import Session
    from editor.widgets.theme import Tokens

ROW_HEIGHT = 40
EYE_WIDTH = 24
NODE = Qt.ItemDataRole.UserRole
"""The role under which a row keeps its layer."""
MASKS = Qt.ItemDataRole.UserRole + 1
"""The role under which a row keeps the thumbnails of region and mask."""
MARKS = {"ai": "sparkles", "group": "folder"}
_MIDDLE = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)


def eye_rect(row: QRect) -> QRect:
    """The area of a row in which a click toggles the eye."""
    return QRect(row.left(), row.top(), EYE_WIDTH + 2, row.height())


def row_planes(node: Node) -> list[str]:
    """The planes that a row shows, from the left: pixels, an AI layer's region, the mask."""
    return ["pixels", *(name for name in ("region", "mask") if name in planes(node))]


def plane_rect(row: QRect, place: int) -> QRect:
    """The area of a row's thumbnail number ``place``; a click there chooses its plane."""
    top = row.top() + (ROW_HEIGHT - THUMBNAIL_SIDE) // 2
    left = row.left() + EYE_WIDTH + 4 + place * (THUMBNAIL_SIDE + 4)
    return QRect(left, top, THUMBNAIL_SIDE, THUMBNAIL_SIDE)


class LayerRow(QStyledItemDelegate):
    """Draws eye, thumbnail, kind mark, name and opacity of one row."""

    def __init__(self, session: "Session", parent: QWidget) -> None:
        super().__init__(parent)
        self.session = session

    @property
    def _tokens(self) -> "Tokens":
        return self.session.tokens.value

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, ROW_HEIGHT)

    def updateEditorGeometry(
        self,
        editor: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        editor.setGeometry(option.rect.adjusted(EYE_WIDTH + THUMBNAIL_SIDE + 10, 6, -6, -6))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        node: Node = index.data(NODE)
        row: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            self._draw_background(painter, row)
        self._draw_eye(painter, row, node)
        names = row_planes(node)
        icons = [index.data(Qt.ItemDataRole.DecorationRole), *(index.data(MASKS) or [])]
        for place, (name, drawn) in enumerate(zip(names, icons, strict=False)):
            self._draw_thumbnail(painter, plane_rect(row, place), drawn, node, name)
        right_edge = plane_rect(row, len(names) - 1).right()
        left = self._draw_mark(painter, row, right_edge + 8, node)
        right = self._draw_notes(painter, row, row.right() - 8, node)
        self._draw_name(painter, QRect(left, row.top(), right - left, ROW_HEIGHT), node)
        painter.restore()

    def _draw_background(self, painter: QPainter, row: QRect) -> None:
        painter.fillRect(row, QColor(self._tokens.raised))
        edge = QRect(row.left(), row.top(), 2, row.height())
        painter.fillRect(edge, QColor(self._tokens.accent))

    def _draw_eye(self, painter: QPainter, row: QRect, node: Node) -> None:
        """Draw the eye; what is drawn after a closed one is fainter."""
        eye = theme.pixmap("eye" if node.visible else "eye-off", self._tokens.text, 16, 2)
        painter.setOpacity(1.0 if node.visible else 0.5)
        painter.drawPixmap(eye_rect(row).center() - QPoint(8, 8), eye)

    def _draw_thumbnail(
        self, painter: QPainter, place: QRect, drawn: QIcon, node: Node, plane: str
    ) -> None:
        """Draw one plane: framed when it is painted on, crossed when it is off."""
        document = self.session.studio.document
        is_chosen = document.state.active == node.id and document.active_plane == plane
        drawn.paint(painter, place)
        has_choice = len(row_planes(node)) > 1
        colour = self._tokens.accent if is_chosen and has_choice else self._tokens.line
        painter.setPen(QPen(QColor(colour), 2 if is_chosen and has_choice else 1))
        painter.drawRect(place)
        if plane == "mask" and node.mask is not None and not node.mask.visible:
            painter.setPen(QPen(QColor(self._tokens.danger), 2))
            painter.drawLine(place.topLeft(), place.bottomRight())
            painter.drawLine(place.topRight(), place.bottomLeft())

    def _draw_mark(self, painter: QPainter, row: QRect, left: int, node: Node) -> int:
        """Draw the mark of the layer's kind; returns the left edge of what follows."""
        if node.kind not in MARKS:
            return left
        colour = self._tokens.accent if node.kind == "ai" else self._tokens.dim
        drawn = theme.pixmap(MARKS[node.kind], colour, 14, 2)
        painter.drawPixmap(left, row.center().y() - 7, drawn)
        return left + 20

    def _draw_notes(self, painter: QPainter, row: QRect, right: int, node: Node) -> int:
        """Draw the layer's notes; returns the right edge of what is left of them."""
        notes = "  ".join(self._note_texts(node))
        if not notes:
            return right
        painter.setPen(QColor(self._tokens.dim))
        width = painter.fontMetrics().horizontalAdvance(notes)
        painter.drawText(QRect(right - width, row.top(), width + 2, ROW_HEIGHT), _MIDDLE, notes)
        return right - width - 8

    def _note_texts(self, node: Node) -> list[str]:
        state = self.session.ai.state_of(node) if isinstance(node, AiLayer) else ""
        notes = [state] if state else []
        if node.blend != "normal":
            notes.append(blend_mode(node.blend).label.lower())
        if node.opacity < 1:
            notes.append(f"{node.opacity:.0%}")
        return notes

    def _draw_name(self, painter: QPainter, room: QRect, node: Node) -> None:
        painter.setPen(QColor(self._tokens.text))
        name = painter.fontMetrics().elidedText(
            readable(node.name), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, _MIDDLE, name)
