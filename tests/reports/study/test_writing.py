"""The files of a study say the same numbers."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hrmlab.reports.study import write_study
from hrmlab.results import Study, StudyArm, StudyCell, StudyCurve, StudyRow

ARMS = [
    StudyArm("base", [], 100, 10, 30, 5, 150, 4096, 1024, 1.5, 12.0),
    StudyArm("gate=<on>", ["model.block=gated_residual"], 120, 12, 36, 5, 180, 8192, 2048, None, None),
]
ROWS = [
    StudyRow("base", "own", "exact", 6, 0.5, (0.45, 0.55)),
    StudyRow(
        "gate=<on>", "own", "exact", 6, 0.625, (0.6, 0.65), 6, 0.125, (0.1, 0.15), (0.09, 0.16), 0.03125, 0.03125, 0.97,
        0.08, 1.2, "accept", "better: a mean gain of +0.125",
    ),
    StudyRow("base", "deep", "exact", 6, 0.75, (0.7, 0.8)),
    StudyRow("gate=<on>", "deep", "exact", 5, 0.8, None, decision="inconclusive", effect=0.05, reason="a | b"),
]  # fmt: skip
STUDY = Study(
    study="gates",
    base="sudoku-4x4",
    design="one_factor",
    seeds=[0, 1, 2, 3, 4, 5],
    budget={"steps": 5},
    reference="base",
    arms=ARMS,
    cells=[
        StudyCell(
            f"{arm.name}{seed}",
            arm.name,
            seed,
            "done",
            None,
            1,
            12.0,
            {
                "own": {"exact": 0.5 + 0.125 * (arm.name != "base")},
                "deep": {"exact": 0.75},
            },
        )
        for arm in ARMS
        for seed in range(6)
    ],
    table=ROWS,
    curves=[StudyCurve("base", "exact", [1.0, 5.0], [0.1, 0.5], [0.0, 0.4], [0.2, 0.6])],
    conclusion="Better: gate=<on>.",
    matched=["steps"],
    missing={"gate=<on>, seed 3": "the loss became nan"},
    weights="average of the weights",
    command="hrm ablate gates.json",
    folder="studies/gates",
    reused=0,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study")
    write_study(STUDY, path)
    return path


def test_every_file_is_named_in_the_report(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    assert sorted(Path(file).name for file in report["files"]) == sorted(path.name for path in folder.iterdir())
    assert report["conclusion"] == STUDY.conclusion and report["arms"][1]["seconds"] is None


def test_the_table_has_every_number(folder: Path) -> None:
    with (folder / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    gate = rows[1]
    assert (gate["arm"], gate["effect"], gate["effect_low"], gate["effect_high"]) == (
        "gate=<on>",
        "0.125",
        "0.1",
        "0.15",
    )
    assert (gate["items_low"], gate["adjusted_p"], gate["decision"]) == ("0.09", "0.03125", "accept")
    assert rows[0]["effect"] == "" and len(rows) == 4
    with (folder / "arms.csv").open() as file:
        assert [row["training_bytes"] for row in csv.DictReader(file)] == ["4096", "8192"]
    with (folder / "curves.csv").open() as file:
        assert [row["mean"] for row in csv.DictReader(file)] == ["0.1", "0.5"]


def test_the_document_shows_the_gain_the_matrix_and_what_is_missing(folder: Path) -> None:
    text = (folder / "report.md").read_text()
    assert (
        "| gate=<on> | 6 | 0.625 | 0.6 to 0.65 | +0.125 | +0.1 to +0.15 | 0.031 | 97% | 1.20x | better: better:" in text
    )
    assert "| base | 0.5 | 0.75 |" in text and "| gate=<on> | 0.625 | 0.8 |" in text
    assert "a \\| b" in text
    assert "| gate=<on>, seed 3 | the loss became nan |" in text
    assert "every run has 5 steps" in text and "`hrm ablate gates.json`" in text


def test_the_page_is_whole_and_escaped(folder: Path) -> None:
    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []
            self.text = ""

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "path", "use", "br", "rect", "circle", "line"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag in self.open:
                assert self.open.pop() == tag

        def handle_data(self, data: str) -> None:
            self.text += data

    text = (folder / "report.html").read_text()
    tags = Tags()
    tags.feed(text)
    assert tags.open == [] and "<script" not in text and "http-equiv" not in text
    assert "Better: gate=<on>." in tags.text and "<on>" not in text
