"""A bench with a worker that is kept for all tests of a module."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.editor.workshop import Bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("SFUMATO_HOME", str(tmp_path_factory.mktemp("home")))
        bench = Bench(runner)
        yield bench
        bench.close()
