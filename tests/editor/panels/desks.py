"""The AI dock over the parts of a workshop."""

import asyncio
from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from editor.ai_session.ai_actions import AiActions
from editor.ai_session.idle_seed_search import IdleSeedSearch
from editor.panels.ai import AiPanel
from editor.widgets import theme
from tests.editor.asking import Workshop, recipe, stroke


class Desk:
    """The panel over the parts of a workshop."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.ai = AiActions(shop.studio, shop.jobs, shop.live, recipe(seed=5))
        self.idle = IdleSeedSearch(shop.studio, shop.jobs, self.ai.recipes)
        app: Any = SimpleNamespace(
            studio=shop.studio,
            jobs=shop.jobs,
            live=shop.live,
            ai=self.ai,
            idle=self.idle,
            tokens=theme.DARK,
        )
        self.panel = AiPanel(app)
        self.panel.resize(300, 420)
        self.panel.show()

    def stroke(self, **changes: Any) -> str:
        layer = stroke(self.shop, recipe(**{"seed": 5, **changes}))
        self.ai.seeds.note_stroke(layer)
        return layer

    async def settle(self) -> None:
        await self.shop.jobs.idle()
        await asyncio.sleep(0.01)
        show()

    def close(self) -> None:
        self.idle.close()
        self.panel.close()
        self.panel.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def show() -> None:
    for _ in range(3):
        QApplication.processEvents()
