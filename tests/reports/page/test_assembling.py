"""The page as text: well-formed, complete, bounded, and asking nothing of the network."""

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from hrmlab.reports.figures.base import CHARTS, chart
from hrmlab.reports.page import assemble
from hrmlab.reports.page.figures import Figures, slim
from hrmlab.reports.page.strip import strip
from hrmlab.results import Diagnosis, Finding, Measurement

VOID = {"meta", "link", "input", "br", "img"}
EMPTY: dict[str, Any] = {
    "board": {}, "puzzles": [], "start": 0, "attention": None, "halting": {}, "training": [], "divergences": [],
}  # fmt: skip

FINDING = Finding(
    "planted.fault", "fail", 0.123456, 0.5, "H", "a <b>bad</b> thing", "mend & go on", {"training.clip": 1.0}
)


def measurement(**fields: Any) -> Measurement:
    standard = {
        "probe": "planted",
        "code": "D-99",
        "question": "Is <it> so?",
        "definition": "a/b",
        "source": "by hand",
        "caveats": ["only & always"],
        "verdict": "ok",
        "why": "",
        "scalars": {"share": 0.25},
        "table": [{"x": 1, "y": 2.0}, {"x": 2, "y": None}],
        "thresholds": [],
        "findings": [],
        "n": 7,
        "seconds": 0.1,
    }
    return Measurement(**standard | fields)


def diagnosis(*measurements: Measurement, findings: list[Finding] | None = None) -> Diagnosis:
    about = {"puzzles": 7, "segments": 4, "weights": "last weights", "seed": 0, "task": {"kind": "x", "size": None}}
    silent = [{"probe": m.probe, "why": m.why} for m in measurements if m.verdict == "n/a"]
    return Diagnosis("run", "economy", findings or [], ["planted"], silent, list(measurements), about, 1.0, [])


class Tree(HTMLParser):
    """Reads a page and fails where a tag closes what is not open. ids: how often each occurs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids.update(value for name, value in attrs if name == "id" and value)
        self.links += [value for name in ("href", "src", "action") if (value := named.get(name))]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two charts for the planted probe."""
    monkeypatch.setitem(CHARTS, "planted", [])

    def draw(one: Measurement, figure: Any) -> None:
        axes = figure.subplots()
        axes.plot([row["x"] for row in one.table], [0.001, 0.002])
        axes.set(xlabel="the x", yticks=[0.001, 0.002])

    chart("planted", "First", "Look at it.")(draw)
    chart("planted", "Second", "Look again.")(draw)


def test_it_is_well_formed_and_every_id_is_its_own(planted: None) -> None:
    tree = Tree(assemble("a <run>", diagnosis(measurement(findings=[FINDING]), findings=[FINDING]), EMPTY).html)
    assert max(tree.ids.values()) == 1
    text = " ".join(tree.texts)
    for piece in (
        "a <run>", "a <b>bad</b> thing", "0.1235", "0.5", "a heuristic of ours (H)", "mend & go on",
        "training.clip=1.0", "Is <it> so?", "only & always", "First.", "Look again.", "n = 7", "the x",
    ):  # fmt: skip
        assert piece in text, piece


def test_it_asks_nothing_of_the_network(planted: None) -> None:
    page = assemble("run", diagnosis(measurement()), EMPTY).html
    links = Tree(page).links
    assert links and all(link.startswith(("#", "data:,")) for link in links)
    assert not re.search(r"https?://|@import|url\((?!#)", page)
    assert "default-src 'none'" in page


def test_data_cannot_end_the_script(planted: None) -> None:
    data = EMPTY | {"board": {"faces": ["</script><b>"]}}
    page = assemble("run", diagnosis(), data).html
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found and json.loads(found[1]) == data


def test_what_was_not_checked_says_why() -> None:
    page = assemble("run", diagnosis(measurement(verdict="n/a", why="no <attention>")), EMPTY).html
    assert "no &lt;attention&gt;" in page and "probe-planted" not in page


def test_tick_labels_keep_their_digits_and_paths_lose_theirs(planted: None) -> None:
    html = Figures([measurement()]).html
    assert re.search(r">0\.0010*<", html)
    assert not re.search(r'\sd="[^"]*\d\.\d{3,}', html)


def test_slim() -> None:
    given = (
        '<svg xmlns="http://a" xmlns:xlink="http://b"><metadata>\n<x/></metadata><!-- 1 --><g id="a">'
        '<use xlink:href="#a" x="12.345678" y="-0.000123456" clip-path="url(#a)"/><text>0.12345</text></g></svg>'
    )
    assert slim(given, "f3-") == (
        '<svg><g id="f3-a"><use href="#f3-a" x="12.35" y="-0.000123" clip-path="url(#f3-a)"/>'
        "<text>0.12345</text></g></svg>"
    )


def test_figures_without_room_are_named(planted: None) -> None:
    whole = Figures([measurement()])
    assert whole.left_out == [] and whole.html.count("<svg") == 2
    sizes = [len(picture) for picture in re.findall(r"<svg.*?</svg>\n?", whole.html, re.DOTALL)]
    least = Figures([measurement()], room=sum(sizes) - 10)
    assert least.left_out == ["planted: Second"] and least.html.count("<svg") == 1
    assert "too large for this page" in least.html


def test_long_tables_are_cut_and_say_so() -> None:
    html = Figures([measurement(table=[{"x": x} for x in range(1000)])]).html
    assert html.count("<tr>") < 80 and "940 more rows" in html


def test_the_strip_shows_where_gradient_arrives() -> None:
    rows = [
        {"row": 0, "address": "h0/l0", "level": "low", "network": "low", "expected": False, "gradient": 0.0},
        {"row": 1, "address": "h0/l1", "level": "low", "network": "low", "expected": True, "gradient": 0.01},
        {"row": 2, "address": "h0", "level": "high", "network": "high", "expected": True, "gradient": 1.0},
    ]
    html = strip([measurement(probe="gradient_path", table=rows)])
    Tree(html)
    assert html.index(">high<") < html.index(">low<")
    assert re.findall(r'class="(update[^"]*)" style="--shade:(\d+)%"', html) == [
        ("update", "100"), ("update none", "0"), ("update", "33"),
    ]  # fmt: skip
    assert "×" not in html
    missing = [rows[2] | {"gradient": 0.0}, *rows[:2]]
    assert "×" in strip([measurement(probe="gradient_path", table=missing)])
    assert strip([replace(measurement(), table=rows)]) == ""
