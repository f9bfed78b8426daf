"""The AI dock over the parts of a workshop."""

import asyncio
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from editor.panels.ai import AiPanel
from tests.editor.sessions import make_session
from tests.editor.workshop import Workshop, recipe, stroke


class PanelDesk:
    """The panel over the parts of a workshop."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.session = make_session(shop)
        self.ai, self.idle = self.session.ai, self.session.idle
        self.panel = AiPanel(self.session)
        self.panel.resize(300, 420)
        self.panel.show()

    def stroke(self, **changes: Any) -> str:
        layer = stroke(self.shop, recipe(**{"seed": 5, **changes}))
        self.ai.seeds.note_stroke(layer)
        return layer

    async def settle(self) -> None:
        await self.shop.jobs.wait_until_idle()
        await asyncio.sleep(0.01)
        process_events()

    def close(self) -> None:
        self.idle.close()
        self.panel.close()
        self.panel.deleteLater()
        self.session.canvas.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def process_events() -> None:
    for _ in range(3):
        QApplication.processEvents()
