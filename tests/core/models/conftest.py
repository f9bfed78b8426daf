"""Folders of tiny flow transformers, and models opened from them."""

from pathlib import Path
from typing import Any

import pytest

from core.models.opening import open_model
from tests import tiny_flow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_flow.saved(folder, "sd3")
    tiny_flow.saved(folder, "flux")
    return folder


@pytest.fixture(scope="module", params=["sd3", "flux"])
def folder(request: pytest.FixtureRequest, home: Path) -> Path:
    return home / f"tiny-{request.param}"


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return open_model(str(folder))
