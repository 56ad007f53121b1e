"""`hrm report`: what the page holds, and that a browser shows it, reached by keyboard alone."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import MISSING, PROGRAM, Browser

from hrmlab import api
from hrmlab.errors import CheckpointError

LIMIT = 5_000_000
QUICK = {"preset": "economy", "n": 8, "quiet": True, "device": "cpu", "threads": 1}

needs_browser = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory, tiny_options: tuple[str, ...]) -> Path:
    """A run of 5 steps of two levels with attention; not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "looking"
    parts = ("schedule=hrm", "block=post_norm", "embedding=tokens", "positions=rotary", "size.heads=2")
    options = [option for option in tiny_options if "schedule" not in option]
    api.train(
        "sudoku-4x4", (*options, *(f"model.{part}" for part in parts)), out=path, steps=5, device="cpu", quiet=True
    )
    return path


@pytest.fixture(scope="module")
def page(looking: Path) -> Path:
    return Path(api.report(looking, **QUICK).html)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


def test_the_page_lies_in_the_run_and_is_small(looking: Path, page: Path) -> None:
    assert page == looking / "report.html"
    text = page.read_text(encoding="utf-8")
    assert len(text.encode()) < LIMIT
    assert not re.search(r"https?://|@import", text)


def test_its_data_are_the_models_answers(looking: Path, page: Path) -> None:
    report = json.loads((looking / "report.json").read_text(encoding="utf-8"))
    assert {"diagnosis", "board", "puzzles", "start", "attention", "halting", "training", "divergences"} == set(report)
    assert report["halting"]["n"] == len(report["puzzles"]) == 8
    for puzzle in report["puzzles"]:
        right = [answer == puzzle["labels"] for answer in puzzle["answers"]]
        assert [bool(flag) for flag in puzzle["right"]] == right
    assert report["attention"]["shape"][3:] == [2, 16, 16]
    assert "loss" in {curve["name"] for curve in report["training"]}


def test_a_diagnosis_of_the_same_weights_is_used_again(looking: Path, page: Path, tmp_path: Path) -> None:
    again = api.report(looking, out=tmp_path, **QUICK)
    assert again.html == str(tmp_path / "report.html") and again.reused
    assert Path(again.html).read_text(encoding="utf-8") == page.read_text(encoding="utf-8")
    assert not api.report(looking, out=tmp_path, **QUICK | {"n": 7}).reused


def test_a_damaged_diagnosis_is_made_anew(looking: Path, page: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(looking, copied)
    (copied / "diagnosis" / "diagnosis.json").write_text("{", encoding="utf-8")
    assert not api.report(copied, **QUICK).reused
    assert api.report(copied, **QUICK).reused


def test_a_shipped_model_has_its_report_here(tmp_path: Path) -> None:
    made = api.report("sudoku-4x4", segments=2, **QUICK)
    assert made.html == "report-sudoku-4x4/report.html" and (tmp_path / made.html).is_file()
    evaluated = api.evaluate("sudoku-4x4", n=8, halting="fixed,max_segments=2", device="cpu", quiet=True)
    report = json.loads((tmp_path / made.json).read_text(encoding="utf-8"))
    assert report["halting"]["exact"] == pytest.approx(evaluated.by_segment)
    assert sum(puzzle["right"][-1] for puzzle in report["puzzles"]) == round(8 * evaluated.exact)


def test_a_preset_has_no_report() -> None:
    with pytest.raises(CheckpointError, match="has not been trained here"):
        api.report("hrm-sudoku-extreme", **QUICK)


@needs_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_fits_and_every_figure_is_drawn(browser: Browser, page: Path, width: int, dark: bool) -> None:
    browser.open(page, width, dark=dark)
    assert browser.errors == []
    assert browser.value("document.documentElement.scrollWidth") <= width
    drawn = "[...document.querySelectorAll('svg')].map(one => one.getBoundingClientRect().height * one.children.length)"
    sizes = browser.value(drawn)
    assert len(sizes) > 5 and min(sizes) > 0
    luminance = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((a, b) => a + Number(b), 0)"
    assert (browser.value(luminance) < 384) == dark


@needs_browser
def test_everything_is_reached_by_keyboard(browser: Browser, page: Path, looking: Path) -> None:
    report = json.loads((looking / "report.json").read_text(encoding="utf-8"))
    browser.open(page)
    _tab_to(browser, lambda at: at["tag"] == "BUTTON" and at["id"] != "play")
    browser.press("Tab")
    browser.press("Enter")
    second = report["puzzles"][1]
    assert browser.value("document.querySelectorAll('#list button')[1].getAttribute('aria-pressed')") == "true"
    assert f"Puzzle {second['number'] + 1}:" in browser.value("document.getElementById('board-title').textContent")

    _tab_to(browser, lambda at: at["id"] == "segment")
    browser.press("ArrowRight", 2)
    assert browser.value("state.segment") == 3
    shown = browser.value("[...document.querySelectorAll('#board .cell span')].map(cell => cell.textContent)")
    assert shown == [report["board"]["faces"][token]["text"] for token in second["answers"][2]]
    marked = browser.value(
        "[...document.querySelectorAll('#board .cell')].flatMap((c, i) => c.classList.contains('broken') ? [i] : [])"
    )
    assert marked == second["broken"][2]

    _tab_to(browser, lambda at: at["role"] == "gridcell")
    browser.press("ArrowRight")
    browser.press("ArrowDown")
    assert browser.value("document.activeElement.title").startswith("row 2, column 2: ")
    assert browser.value("state.cell") == 5
    assert browser.errors == []


@needs_browser
def test_attention_on_the_board_is_the_recorded_one(browser: Browser, page: Path, looking: Path) -> None:
    report = json.loads((looking / "report.json").read_text(encoding="utf-8"))
    maps = report["attention"]
    browser.open(page)
    look = {"puzzle": maps["puzzles"][-1], "segment": maps["segments"][-1], "map": 1, "head": 1, "cell": 6}
    weights = browser.value("looks.of({puzzle}, {segment}, {map}, {head}, {cell})".format(**look))
    assert sum(weight for _, weight in weights) == pytest.approx(1, abs=0.05)
    assert sorted(place for place, _ in weights) == list(range(16))
    at = [puzzle["number"] for puzzle in report["puzzles"]].index(look["puzzle"])
    browser.value(f"update({{puzzle: {at}, segment: 3, map: 1, head: 1, cell: 6}})")
    top = browser.value("document.querySelector('#look-top li').textContent")
    assert top.startswith(f"row {weights[0][0] // 4 + 1}, column {weights[0][0] % 4 + 1}: ")
    shades = browser.value(
        "[...document.querySelectorAll('#look .cell')].map(c => Number(c.style.getPropertyValue('--shade')))"
    )
    assert shades.index(max(shades)) == weights[0][0]


@needs_browser
def test_playing_goes_on_to_the_last_segment(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.value("document.getElementById('play').click()")
    assert browser.value("document.getElementById('play').textContent") == "Pause"
    browser.until("!player.playing")
    assert browser.value("state.segment") == 3
    assert browser.value("document.getElementById('play').textContent") == "Play"


def _tab_to(browser: Browser, wanted: Callable[[dict[str, Any]], bool]) -> None:
    for _ in range(60):
        browser.press("Tab")
        at = browser.value(
            "({tag: document.activeElement.tagName, id: document.activeElement.id, "
            "role: document.activeElement.getAttribute('role')})"
        )
        if wanted(at):
            return
    raise AssertionError("not reached by the tab key")
