"""docs/schedule.svg shows the schedule."""

import importlib.util
import re
from types import ModuleType
from xml.etree import ElementTree

import pytest
from docs.pages import ROOT

from hrmlab.core.schedule import trm
from hrmlab.presets import preset


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schedule_tool", ROOT / "tools/schedule.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_current(tool: ModuleType) -> None:
    assert tool.PICTURE.read_text(encoding="utf-8") == tool.current(), "type `python tools/schedule.py`"


def test_it_has_a_box_for_each_update_and_an_arrow_for_each_state_read(tool: ModuleType) -> None:
    for schedule in (preset("hrm-sudoku-extreme").make().model.schedule.build(), trm(3, 6)):
        text = tool.picture(schedule, "a title")
        ElementTree.fromstring(text)
        assert len(re.findall(r'text-anchor="middle"', text)) == len(schedule.updates)
        reads = sum(1 + len(update.sources) for update in schedule.updates)
        assert text.count("url(#tip)") == reads + 1  # and one to the answer
        filled = len(re.findall(r'<rect[^>]*rx="6" fill="#(?!ffffff)', text))
        assert filled == sum(update.grad for update in schedule.updates)
