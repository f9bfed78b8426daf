"""A desk with an idle seed search."""

import pytest

from tests.editor.ai_session.idle_desk import Play, make_player
from tests.editor.workshop import Bench


@pytest.fixture
def play_idle(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Play:
    return make_player(bench, monkeypatch)
