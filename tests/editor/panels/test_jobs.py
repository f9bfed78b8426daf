"""The Jobs dock: rows in step with the jobs, each with its own Cancel."""

import asyncio
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from editor.ai_session.job import Failure, Job, Stage
from editor.panels.jobs import JobsPanel, summary
from tests.editor.sessions import make_session
from tests.editor.workshop import Bench, Workshop, recipe, stroke

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def application() -> QApplication:
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication([])


def _make_panel(shop: Workshop) -> JobsPanel:
    panel = JobsPanel(make_session(shop))
    panel.show()
    return panel


def _wait_for_refresh() -> None:
    QTest.qWait(60)


def _delete_panel(panel: JobsPanel) -> None:
    panel.session.canvas.deleteLater()
    panel.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_rows_follow_the_jobs_and_cancel_stops_one(application: QApplication, bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        panel = _make_panel(shop)
        assert panel.rows == []
        stroke(shop, recipe(technique="slow", steps=50, pause=0.05), 60, 60)
        running = shop.jobs.recent[0]
        while running.n < 2:
            await asyncio.sleep(0.01)
        shop.live.turn(True)
        _wait_for_refresh()
        assert [row.job for row in panel.rows] == [running]
        assert "Step" in panel.rows[0].text
        panel.rows[0]._cancel_button.click()
        await shop.jobs.wait_until_idle()
        _wait_for_refresh()
        assert panel.rows[0].text == "red: cancelled"
        assert panel.rows[0]._cancel_button.isHidden()
        _delete_panel(panel)

    bench.run(work)


def test_rows_of_forgotten_jobs_go(application: QApplication, bench: Bench) -> None:
    async def work(shop: Workshop) -> None:
        panel = _make_panel(shop)
        for number in range(3):
            shop.jobs.recent.appendleft(Job(str(number), f"job {number}", stage=Stage.cancelled))
        panel.refresh()
        assert [row.job.name for row in panel.rows] == ["job 2", "job 1", "job 0"]
        shop.jobs.recent.pop()
        panel.refresh()
        _wait_for_refresh()
        assert [row.job.name for row in panel.rows] == ["job 2", "job 1"]
        _delete_panel(panel)

    bench.run(work)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"stage": Stage.waiting}, "Waiting for its turn"),
        ({"stage": Stage.loading, "model": "Storybook"}, "Loading Storybook"),
        ({"stage": Stage.running}, "Preparing"),
        ({"stage": Stage.running, "n": 5, "of": 8}, "Step 5 of 8"),
        ({"stage": Stage.finished, "final_ms": 640.4}, "finished in 640 ms"),
        ({"stage": Stage.finished, "is_from_cache": True}, "finished at once"),
        ({"stage": Stage.overtaken}, "a newer one took its place"),
        ({"stage": Stage.failed, "failure": Failure("It broke.")}, "It broke."),
        (
            {"stage": Stage.finished, "is_comparison": True, "note": "Exact: the same."},
            "Exact: the same.",
        ),
    ],
)
def test_the_summary_of_a_job(facts: dict[str, Any], expected: str) -> None:
    assert summary(Job("layer", "boat", **facts)).startswith(expected)
