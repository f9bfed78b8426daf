"""A process is known by its number and its start time."""

import subprocess
import sys
from typing import Any

import psutil
import pytest

from core.files.process import describe_process, is_running


def test_this_process_runs() -> None:
    assert is_running(describe_process())


def test_another_process_runs_until_it_ends() -> None:
    wait = "import sys; sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", wait], stdin=subprocess.PIPE)
    facts = {"pid": child.pid, "started": psutil.Process(child.pid).create_time()}
    assert is_running(facts)
    child.communicate()
    assert not is_running(facts)


def test_the_same_number_with_another_start_is_another_process() -> None:
    process = describe_process()
    assert not is_running({**process, "started": process["started"] - 60})


@pytest.mark.parametrize(
    "facts", [{}, {"pid": 1}, {"pid": -1, "started": 0}, {"pid": None, "started": 0}, [], "pid", 3]
)
def test_what_describes_no_process_does_not_run(facts: Any) -> None:
    assert not is_running(facts)
