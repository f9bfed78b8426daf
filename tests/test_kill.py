"""A few kills of a real editor; ``python -m tests.kill --seeds 300`` does more of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kill.__main__ import Kill, State, judge, summarise

pytestmark = pytest.mark.gui
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(sys.platform != "linux", reason="the harness reads Linux's clock of waits")
def test_two_kills_cost_less_than_a_second_and_leave_nothing(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "tests.kill", "--first", "1", "--seeds", "2"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "all: 2 kills" in done.stdout


def test_the_harness_sees_what_is_lost_and_what_waited_for_a_processor() -> None:
    states = [State(0.0, "a", False, (0.0, 0.0)), State(5.0, "b", True, (1.0, 0.5))]
    kill = Kill(0, "small")
    judge(kill, states, 7.0, (1.25, 0.5))
    assert (kill.loss, kill.own_loss) == (2.0, 1.75)
    assert kill.faults == ["1.75 s of work were lost"]
    assert "most 1.75 (by the wall 2.00" in summarise([kill])
