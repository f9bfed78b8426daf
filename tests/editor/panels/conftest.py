"""A desk with the AI dock."""

from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from tests.editor.panels.panel_desk import PanelDesk
from tests.editor.workshop import Bench, Workshop


@pytest.fixture(scope="module")
def application() -> QApplication:
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication([])


@pytest.fixture
def play(application: QApplication, bench: Bench) -> Any:
    """Run a test with a desk."""

    def run(work: Any) -> None:
        async def with_desk(shop: Workshop) -> None:
            desk = PanelDesk(shop)
            try:
                await work(desk)
            finally:
                desk.close()

        bench.run(with_desk)

    return run
