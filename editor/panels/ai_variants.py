"""Thumbnails of a layer's variants: the better ones first, the best one with a star."""

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem

from core.ai.recipe_values import prompt_of, strength_of
from core.scoring.seed_search import SeedStanding, standings
from editor.widgets.pictures import rgb_pixmap

if TYPE_CHECKING:
    from editor.ai_session.result_cache import Variant
    from editor.widgets.theme import Tokens

SIDE = 46
KEY = Qt.ItemDataRole.UserRole
NO_STANDING = SeedStanding("", False)
STAR_RADIUS = 11.0
"""Radius of the star in pixels of a thumbnail."""


class VariantThumbnails(QListWidget):
    """Lists variants: those with a score, then the newest first; the shown one is marked."""

    def __init__(self, tokens: "Tokens") -> None:
        super().__init__()
        self._tokens = tokens
        self._keys: list[str] = []
        self._shown: tuple[list[Variant], str] = ([], "")
        self.setAccessibleName("Seeds tried")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setGridSize(QSize(SIDE + 6, SIDE + 6))
        self.setFixedHeight(SIDE + 8)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)

    def apply_theme(self, tokens: "Tokens") -> None:
        self._tokens = tokens
        self.setStyleSheet(
            f"QListView::item {{ border: 2px solid {tokens.panel}; border-radius: 4px; }}"
            f"QListView::item:hover {{ border-color: {tokens.dim}; }}"
            f"QListView::item:selected {{ border-color: {tokens.accent}; background: none; }}"
        )
        self._show_standings()

    def show_variants(self, variants: "list[Variant]", current: str) -> None:
        """Show variants, the oldest first; ``current`` is the key of the one on the canvas."""
        newest = variants[::-1]
        keys = [variant.key for variant in newest]
        if sorted(keys) != sorted(self._keys):
            self._keys = keys
            self.clear()
            for variant in newest:
                # With its picture at once, as items that grow would stand too far apart.
                item = QListWidgetItem(self._icon(variant, NO_STANDING), "")
                item.setData(KEY, variant.key)
                self.addItem(item)
        self._shown = newest, current
        self._show_standings()
        self.setVisible(len(keys) > 1)

    def _show_standings(self) -> None:
        newest, current = self._shown
        variants = {variant.key: variant for variant in newest}
        scores = {key: one.seed_score for key, one in variants.items() if one.seed_score}
        stand = standings(scores, current)
        for place in range(self.count()):
            item = self.item(place)
            key = item.data(KEY)
            variant, standing = variants[key], stand.get(key, NO_STANDING)
            item.setIcon(self._icon(variant, standing))
            item.setToolTip(variant_text(variant, standing, key == current))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, item.toolTip().split(":")[0])
            item.setSelected(key == current)

    def _icon(self, variant: "Variant", standing: SeedStanding) -> QIcon:
        drawn = rgb_pixmap(variant.thumbnail)
        if standing.is_best:
            draw_star(drawn, self._tokens)
        shown = QIcon(drawn)
        shown.addPixmap(drawn, QIcon.Mode.Selected)
        return shown


def variant_text(variant: "Variant", standing: SeedStanding, is_shown: bool) -> str:
    """The tool tip of a variant."""
    recipe = variant.recipe
    place = ", on the canvas" if is_shown else ", found while idle" if variant.is_found else ""
    if is_shown and standing.is_best:
        return f"Seed {recipe.seed}{place}: the best so far"
    if not standing.text:
        return f"Seed {recipe.seed}{place}, strength {strength_of(recipe):.2f}: {prompt_of(recipe)}"
    best = ", the best so far" if standing.is_best else ""
    return f"Seed {recipe.seed}{place}: {standing.text}{best}"


def draw_star(drawn: QPixmap, tokens: "Tokens") -> None:
    """Draw a star in the upper right corner, with a rim so that it is seen on any picture."""
    middle = QPointF(drawn.width() - STAR_RADIUS - 2, STAR_RADIUS + 2)
    points = [
        middle
        + QPointF(math.sin(angle), -math.cos(angle)) * STAR_RADIUS * (1 if n % 2 == 0 else 0.45)
        for n, angle in enumerate(math.pi / 5 * n for n in range(10))
    ]
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    rim = QPen(QColor(tokens.surround), 3)
    rim.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(rim)
    painter.setBrush(QColor(tokens.accent))
    painter.drawPolygon(QPolygonF(points))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(QPolygonF(points))
    painter.end()
