"""The folder in which the cases of a test take place."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = Path(__file__).parent
    for item in (item for item in items if item.path.parent == mine):
        # Or a case that fails is hidden by a remark on how large it is.
        item.add_marker(pytest.mark.filterwarnings("ignore:Generating overly large repr"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "home"


@pytest.fixture(scope="module", autouse=True)
def made(home: Path) -> None:
    home.mkdir()
