"""The page of `hrm serve` in a browser, as people use it: by keyboard and pointer, on wide screens and narrow ones."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import MISSING, PROGRAM, Browser

pytest.importorskip("fastapi", reason="wants `pip install 'hrm-lab[web]'`")

from servers import Server

from hrmlab import api

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)
PUZZLE = ".6.3....4.......56.4......51...1..3."
ANSWER = "261345354621123456546213435162612534"
TEXTS = "[...document.querySelectorAll('#view-first .cell span')].map(c => c.textContent).slice(0, 36).join('')"
TROUBLE = "document.getElementById('trouble').textContent"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_options: tuple[str, ...]) -> Path:
    """A working folder with runs: one with attention and two levels, and a report; not to be changed."""
    folder = tmp_path_factory.mktemp("work")
    parts = ("schedule=hrm", "block=post_norm", "embedding=tokens", "positions=rotary", "size.heads=2")
    options = [option for option in tiny_options if "schedule" not in option]
    words = (*options, *(f"model.{part}" for part in parts))
    api.train("sudoku-4x4", words, out=folder / "runs" / "looking", steps=5, device="cpu", quiet=True)
    grids = {"input": [[1, 2], [0, 3]], "output": [[2, 1], [3, 0]]}
    for subset in ("training", "evaluation"):
        (folder / "arc" / subset).mkdir(parents=True)
        task = {"train": [grids, grids], "test": [grids, {"input": [[4, 5, 6]], "output": [[6, 5, 4]]}]}
        (folder / "arc" / subset / f"{subset}.json").write_text(json.dumps(task))
    api.data_build("arc", [f"source={folder / 'arc'}", "augmentations=1"], out=folder / "data", quiet=True)
    tiny = (
        "model.size.width=8",
        "model.size.layers=1",
        "model.size.heads=1",
        "model.puzzle.width=8",
        "model.puzzle.slots=1",
    )
    small = (
        "training.batch_size=2",
        "halting.max_segments=2",
        "evaluation.max_segments=2",
        f"data.path={folder / 'data'}",
    )
    api.train("trm-arc-1", (*tiny, *small), out=folder / "runs" / "arc", steps=1, device="cpu", quiet=True)
    api.report(folder / "runs" / "looking", preset="economy", n=8, quiet=True, device="cpu", threads=1)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    server = Server(folder=folder)
    yield server
    server.end()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture
def page(browser: Browser, server: Server) -> Browser:
    """The page as it is when it is opened, with an example on the board."""
    opened(browser, server.url)
    return browser


def opened(browser: Browser, url: str, part: str = "", **window: Any) -> None:
    browser.visit("about:blank")
    browser.errors.clear()
    browser.visit(f"{url}/{part}", **window)
    browser.until("state.models.length && document.getElementById('text').value")


def click(page: Browser, name: str) -> None:
    page.value(f"document.getElementById('{name}').click()")


def choose(page: Browser, select: str, value: str) -> None:
    page.value(f"{select}.value = {value}; {select}.dispatchEvent(new Event('change'))")


def asked(page: Browser, text: str) -> None:
    """A puzzle put in as text, and Enter."""
    page.value("document.getElementById('text').value = ''; document.getElementById('text').focus()")
    page.type(text)
    page.press("Enter")


def test_a_puzzle_is_typed_into_the_board_and_solved(page: Browser) -> None:
    click(page, "clear")
    assert page.value("document.getElementById('text').value") == ""
    page.value("document.querySelector('#puzzle .cell').focus()")
    for sign in PUZZLE:
        if sign != ".":
            page.type(sign)
        page.press("ArrowRight")
        if page.value("editor.chosen % 6 === 5") and page.value("state.last === editor.chosen"):
            page.press("ArrowDown")
            page.press("ArrowLeft", 5)
        page.value("state.last = editor.chosen; 0")
    assert page.value("document.getElementById('text').value") == PUZZLE
    page.press("Enter")
    page.until("panes[0].film && !player.playing && state.segment === panes[0].film.stop")
    assert page.value(TEXTS) == ANSWER
    title = page.value("document.querySelector('#view-first h3').textContent")
    assert re.fullmatch(r"sudoku-6x6: solved, stopped after \d+", title)
    assert page.errors == []


def test_the_film_is_the_models_own(page: Browser) -> None:
    asked(page, PUZZLE)
    page.until("panes[0].film && !player.playing")
    (wanted,) = api.solve("sudoku-6x6", [PUZZLE], device="cpu", quiet=True).results
    film = page.value("panes[0].film")
    assert film["stop"] == wanted.segments and film["solved"][film["stop"] - 1] is True
    assert film["halt"][film["stop"] - 1] == pytest.approx(wanted.confidence, abs=1e-3)
    assert len(film["answers"]) == len(film["solved"]) == len(film["residuals"]["state"]) >= film["stop"]
    assert film["residuals"]["state"][0] > film["residuals"]["state"][-1] >= 0


def test_segments_are_stepped_through_by_keyboard(page: Browser) -> None:
    asked(page, PUZZLE)
    page.until("panes[0].film && !player.playing")
    page.value("document.getElementById('segment').focus()")
    page.press("Home")
    first = page.value(TEXTS)
    assert page.value("state.segment") == 1 and first != ANSWER
    page.press("ArrowRight")
    assert page.value("document.getElementById('segment-number').textContent").startswith("2 of ")
    faces = "state.task.board.faces"
    assert page.value(TEXTS) == page.value(f"panes[0].film.answers[1].map(token => {faces}[token].text).join('')")
    page.value("document.querySelector('#view-first .cell').focus()")
    page.press("ArrowDown")
    line = page.value("document.querySelector('#view-first .fine').textContent")
    assert re.fullmatch(r"row 2, column 1: \d, (given|\d+% sure)(, changed)?(, breaks a rule)?", line)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("123", "36 cells"),
        ("11" + "." * 34, "twice"),
        ("." * 36, "exactly one solution"),
        ("x" * 36, "no symbol"),
        ("<img src=x onerror=alert(1)>", "cells"),
    ],
)
def test_a_bad_puzzle_is_told_in_words(page: Browser, text: str, why: str) -> None:
    asked(page, text)
    page.until(f"{TROUBLE} !== ''")
    assert why in page.value(TROUBLE)
    assert page.value("panes[0].film === null && !document.getElementById('solve').disabled")
    assert page.errors == []


def test_what_is_shown_is_marked_once_the_puzzle_is_another(page: Browser) -> None:
    asked(page, PUZZLE)
    page.until("panes[0].film && !player.playing")
    stale = "document.getElementById('view-first').classList.contains('stale')"
    assert page.value(stale) is False
    page.value("document.querySelector('#puzzle .cell').focus()")
    page.type("3")
    assert page.value(stale) is True


def test_two_rules_side_by_side(page: Browser) -> None:
    click(page, "beside")
    page.value("panes[1].rule.value = 'fixed,max_segments=3'")
    asked(page, PUZZLE)
    page.until("panes[1].film && !player.playing")
    assert page.value("panes[1].film.stop") == 0 and page.value("panes[1].depth") == 3
    assert page.value("document.querySelector('#view-second h3').textContent").endswith("at its limit of 3")
    assert page.value("panes[0].film.answers[0]") == page.value("panes[1].film.answers[0]")
    page.value("document.getElementById('segment').focus()")
    page.press("End")
    assert page.value("state.segment === Math.max(panes[0].depth, panes[1].depth)")
    choose(page, "panes[1].select", "'hrm-sudoku-6x6'")
    page.value("panes[1].rule.value = 'no_such_rule'")
    asked(page, PUZZLE)
    page.until(f"{TROUBLE}.includes('no_such_rule')")
    page.value("panes[1].rule.value = ''")
    asked(page, PUZZLE)
    page.until("panes[1].shown.name === 'hrm-sudoku-6x6' && panes[1].film && !player.playing")
    levels = page.value("Object.keys(panes[1].film.residuals)")
    assert sorted(levels) == ["high", "low"]
    offered = page.value("[...panes[1].select.options].map(option => option.value)")
    assert "sudoku-6x6" in offered and "maze-9x9" not in offered


def test_a_maze_is_painted(page: Browser) -> None:
    choose(page, "panes[0].select", "'maze-9x9'")
    page.until("editor.tokens.length === 361 && document.getElementById('text').value.length === 361")
    faces = page.value("state.task.board.faces.map(face => face.key)")
    start, wall = faces.index("S"), faces.index("#")
    before = page.value("editor.tokens")
    page.value(f"[...document.querySelectorAll('#palette button')][{['#', '.', 'S', 'G'].index('S')}].click()")
    free = next(at for at, token in enumerate(before) if token == faces.index("."))
    drag(page, free, free)
    assert page.value("editor.tokens").index(start) == free and page.value("editor.tokens").count(start) == 1
    page.value("[...document.querySelectorAll('#palette button')][0].click()")
    row = 19 * 9
    drag(page, row, row + 18)
    assert page.value("editor.tokens")[row : row + 19].count(wall) >= 17
    page.until(f"{TROUBLE} !== ''")
    click(page, "example")
    page.until(f"{TROUBLE} === ''")
    click(page, "solve")
    page.until("panes[0].film")
    film = page.value("panes[0].film")
    assert film["solved"][(film["stop"] or len(film["solved"])) - 1] is True
    assert page.errors == []


def drag(page: Browser, start: int, end: int) -> None:
    """The pointer from a cell of the puzzle to another."""
    boxes = f"[{start}, {end}].map(n => editor.board.cells[n].getBoundingClientRect())"
    places = page.value(f"{boxes}.map(r => [r.x + r.width / 2, r.y + r.height / 2])")
    (x0, y0), (x1, y1) = places
    mouse = {"button": "left", "buttons": 1, "clickCount": 1}
    page.call("Input.dispatchMouseEvent", type="mousePressed", x=x0, y=y0, **mouse)
    for part in range(1, 41):
        x, y = x0 + (x1 - x0) * part / 40, y0 + (y1 - y0) * part / 40
        page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, **mouse)
    page.call("Input.dispatchMouseEvent", type="mouseReleased", x=x1, y=y1, **mouse)


def test_attention_from_a_clicked_cell(page: Browser) -> None:
    choose(page, "panes[0].select", "'runs/looking'")
    page.until("editor.tokens.length === 16 && document.getElementById('text').value.length === 16")
    click(page, "solve")
    page.until("panes[0].film && !player.playing")
    page.value("document.querySelector('#view-first details summary').click()")
    page.until("panes[0].looks")
    page.value("document.querySelectorAll('#view-first .board .cell')[6].click()")
    note = page.until("document.querySelector('#view-first details .fine').textContent")
    assert note.startswith("From row 2, column 3 after segment ")
    cells = "[...document.querySelectorAll('#view-first .look .cell')]"
    shades = f"{cells}.map(cell => Number(cell.style.getPropertyValue('--shade')))"
    assert max(page.value(shades)) == 1
    assert sorted(page.value("Object.keys(panes[0].film.residuals)")) == ["high", "low"]


def test_an_arc_task_is_loaded_from_its_file(page: Browser, folder: Path) -> None:
    assert page.value("document.getElementById('task-file').hidden")
    choose(page, "panes[0].select", "'runs/arc'")
    page.until("editor.tokens.length === 900 && document.getElementById('text').value")
    chosen = page.call("Runtime.evaluate", expression="document.getElementById('arc')")["result"]["objectId"]
    page.call("DOM.setFileInputFiles", files=[str(folder / "arc" / "evaluation" / "evaluation.json")], objectId=chosen)
    page.until("document.getElementById('text').value === '12/03' && editor.tokens[0] === 3")
    click(page, "solve")
    page.until("panes[0].film && !player.playing")
    assert page.value("panes[0].film.known") is True
    test = "document.getElementById('test')"
    choose(page, test, f"{test}.options[1].value")
    page.until("editor.tokens.slice(0, 3).join() === '6,7,8'")
    assert page.value("state.name") == "evaluation"
    (folder / "strange.json").write_text('{"test": 5}')
    page.call("DOM.setFileInputFiles", files=[str(folder / "strange.json")], objectId=chosen)
    page.until(f"{TROUBLE}.includes('strange.json is no ARC task')")
    click(page, "clear")
    assert page.errors == []


def test_a_run_that_goes_on_is_seen_to_grow(browser: Browser, server: Server, folder: Path) -> None:
    run = folder / "runs" / "growing"
    run.mkdir(exist_ok=True)
    for name in ("config.json", "provenance.json"):
        (run / name).write_bytes((folder / "runs" / "looking" / name).read_bytes())
    lines = [json.dumps({"step": step, "seconds": step / 10, "loss": 3 - step / 10}) + "\n" for step in range(1, 6)]
    (run / "metrics.jsonl").write_text("".join(lines[:3]))
    browser.visit("about:blank")
    browser.visit(f"{server.url}/#runs/growing")
    points = "(document.querySelector('#run-curves polyline')?.getAttribute('points') ?? '').split(' ').length"
    browser.until(f"{points} === 3")
    assert "step 3 of" in browser.value("document.getElementById('run-line').textContent")
    assert "going on" in browser.value("document.getElementById('run-line').textContent")
    with (run / "metrics.jsonl").open("a") as file:
        file.write("".join(lines[3:]))
    browser.until(f"{points} === 5")
    names = browser.value("[...document.querySelectorAll('#list button')].map(button => button.textContent)")
    assert names[0] == "growing" and set(names) == {"growing", "looking", "arc"}
    browser.value("[...document.querySelectorAll('#list button')].find(one => one.dataset.run === 'looking').click()")
    href = browser.until("document.querySelector('#run-links a')?.getAttribute('href')")
    browser.visit(f"{server.url}/{href}")
    assert browser.value("document.querySelectorAll('#board .cell').length") == 16  # its script runs, but sandboxed
    assert browser.value("(() => { try { return document.cookie; } catch { return 'apart'; } })()") == "apart"


def test_the_server_goes_away_and_comes_back(browser: Browser, folder: Path) -> None:
    server = Server(folder=folder)
    port = server.url.rpartition(":")[2]
    opened(browser, server.url)
    asked(browser, PUZZLE)
    browser.until("panes[0].film && !player.playing")
    server.end()
    click(browser, "solve")
    browser.until("!document.getElementById('gone').hidden")
    assert browser.value(TROUBLE) == "the server does not answer"
    assert browser.value(TEXTS) == ANSWER
    again = Server("--port", port, folder=folder)
    try:
        browser.until("document.getElementById('gone').hidden")
        click(browser, "solve")
        browser.until(f"{TROUBLE} === '' && !document.getElementById('view-first').classList.contains('stale')")
    finally:
        again.end()


def test_a_server_with_a_token_asks_for_it(browser: Browser, folder: Path) -> None:
    server = Server(folder=folder, HRM_TOKEN="se cret;é")
    try:
        browser.visit("about:blank")
        browser.visit(server.url)
        browser.until("!document.getElementById('token').hidden && document.activeElement.id === 'secret'")
        browser.type("wrong")
        browser.press("Enter")
        browser.until("document.getElementById('token-trouble').textContent")
        browser.value("document.getElementById('secret').value = 'se cret;é'")
        browser.press("Enter")
        browser.until("document.getElementById('token').hidden && state.models.length")
    finally:
        server.end()
        browser.call("Network.clearBrowserCookies")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_it_fits_on_narrow_and_wide_screens(browser: Browser, server: Server, width: int, dark: bool) -> None:
    opened(browser, server.url, width=width, dark=dark)
    click(browser, "beside")
    click(browser, "solve")
    browser.until("panes[1].film")
    assert browser.value("document.documentElement.scrollWidth") <= width
    luminance = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((a, b) => a + Number(b), 0)"
    assert (browser.value(luminance) < 384) == dark
    opened(browser, server.url, "#runs/looking", width=width, dark=dark)
    browser.until("!!document.querySelector('#run-curves svg')")
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.errors == []


def test_something_is_painted_within_a_second(browser: Browser, server: Server) -> None:
    paint = "performance.getEntriesByType('paint').find(one => one.name === 'first-contentful-paint').startTime"
    times = []
    for _ in range(3):  # the fastest: what else the machine does is not the page's
        opened(browser, server.url)
        times.append(browser.value(paint))
    assert min(times) < 1000, times


def test_everything_asks_this_server_alone(page: Browser, server: Server) -> None:
    assert page.value("performance.getEntriesByType('resource').every(one => one.name.startsWith(location.origin))")
    assert not page.value("document.documentElement.outerHTML.match(/(src|href)=.?https?:/)")


def test_every_control_has_a_name(page: Browser) -> None:
    asked(page, PUZZLE)
    page.until("panes[0].film")
    nameless = (
        "[...document.querySelectorAll('button, input, select, textarea, [role=grid]')].filter(one => !one.hidden && "
        "!one.labels?.length && !one.textContent.trim() && !one.getAttribute('aria-label') && "
        "!one.getAttribute('aria-labelledby')).map(one => one.outerHTML.slice(0, 80))"
    )
    assert page.value(nameless) == []
