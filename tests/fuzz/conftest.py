"""The folder in which the cases of a test take place."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "home"


@pytest.fixture(scope="module", autouse=True)
def made(home: Path) -> None:
    home.mkdir()
