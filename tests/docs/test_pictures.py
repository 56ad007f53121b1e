"""docs/schedule.svg shows the schedule."""

import importlib.util
from types import ModuleType

import pytest
from docs.pages import ROOT

pytest.importorskip("matplotlib", reason="wants `python3 tools/setup.py report`")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schedule_tool", ROOT / "tools/schedule.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_current(tool: ModuleType) -> None:
    assert tool.PICTURE.read_text(encoding="utf-8") == tool.picture(), "type `python tools/schedule.py`"


def test_the_words_beside_it_are_those_of_the_schedule(tool: ModuleType) -> None:
    page = (ROOT / "docs/concepts.md").read_text(encoding="utf-8")
    targets = ", ".join(update.target for update in tool.schedule().updates)
    assert f"hrm-sudoku-extreme: {targets};" in page
