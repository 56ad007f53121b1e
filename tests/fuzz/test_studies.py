"""Study folders: cells whose records are damaged or tell of other results, and what workers send."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fuzz.damage import altered, damaged, json_files, plain
from fuzz.folders import Changes, Files, changed, changes, files_in
from fuzz.harness import fuzzed, judge
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.api import study_results
from hrmlab.api.study_results import result
from hrmlab.api.targets import SHIPPED
from hrmlab.api.trials import Order
from hrmlab.config import decode, encode, load_json, override
from hrmlab.presets import preset
from hrmlab.studies.engines.base import Outcome
from hrmlab.studies.outcome import conclude
from hrmlab.studies.plan import Plan, Study, expand
from hrmlab.studies.store import Status, StudyFolder
from hrmlab.studies.tuning.limits import Limits
from hrmlab.studies.tuning.search import Search

BASE = override(preset("hrm-sudoku-4x4").make(), ("model.block=post_norm", "model.embedding=tokens"))
STUDY = {
    "name": "mine", "base": "hrm-sudoku-4x4", "factors": {"act": {"long": ["halting.max_segments=4"]}},
    "budget": {"steps": 5}, "seeds": [0, 1], "questions": [{"measure": "exact"}, {"measure": "mean_segments"}],
}  # fmt: skip
RIGHT = {"steps": 5, "exact": 0.5, "cell": 0.5, "valid": 0.5, "mean_segments": 3.0, "p95_segments": 4.0, "right": "01"}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return expand(decode(Study, STUDY), BASE)


@pytest.fixture(scope="module")
def sound(home: Path, plan: Plan) -> Files:
    """The records of a study whose cells are all done, at `home`/study."""
    folder = StudyFolder(home / "study")
    folder.prepare(STUDY, [cell.plain() for cell in plan.cells])
    for number, cell in enumerate(plan.cells):
        results = {name: RIGHT | {"exact": number / 4} for name in cell.evaluations}
        folder.mark(cell.id, Status(state="done", attempts=1, seconds=2.0, results=results))
    run = folder.cell(plan.cells[0].id) / "run"
    run.mkdir()
    (run / "metrics.jsonl").write_bytes(b"\n".join(plain({"step": step, "loss": 2.0 / step}) for step in (1, 2)))
    (run / "results.json").write_bytes((SHIPPED / "sudoku-4x4" / "results.json").read_bytes())
    result(plan, folder, "", 0)  # what is imported at the first time takes longer than a case may
    return files_in(home / "study")


@pytest.fixture(scope="module", autouse=True)
def counted() -> Iterator[None]:
    """What runs need in memory depends on no file, and counting takes longer than all else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_results, "_memory", lambda config: {"training": 1, "inference": 1})
        yield


def test_folders(home: Path, plan: Plan, sound: Files) -> None:
    @fuzzed(share=0.4)
    @given(changes(sound))
    def folders(different: Changes) -> None:
        with changed(home / "study", sound, different):
            folder = StudyFolder(home / "study")
            for step in (
                lambda: result(plan, folder, "hrm ablate", 0).plain(),
                lambda: [folder.about(cell.id) for cell in plan.cells],
                lambda: folder.prepare(STUDY, [cell.plain() for cell in plan.cells]),
            ):
                judge(step, home)
        for file in (home / "study").rglob("*"):
            if file.is_file() and str(file.relative_to(home / "study")) not in sound:
                file.unlink()

    folders()


STATUSES = (
    {"state": "done", "attempts": 1, "reason": None, "seconds": 1.0, "process": None, "results": {"own": RIGHT}},
    {"state": "running", "attempts": 1, "process": {"number": os.getpid(), "began": 0.0}},
)


def test_results(home: Path, plan: Plan, sound: Files) -> None:
    """Cells whose records are sound JSON of other values."""
    first = plan.cells[0].id
    own = next(iter(plan.cells[0].evaluations))
    statuses = [json.loads(json.dumps(status).replace('"own"', json.dumps(own))) for status in STATUSES]

    @fuzzed(share=0.4)
    @given(altered(*statuses, edits=2))
    def results(status: Any) -> None:
        file = f"cells/{first}/status.json"
        with changed(home / "study", sound, {file: plain(status)}):
            folder = StudyFolder(home / "study")
            judge(lambda: conclude(plan, {cell.id: folder.status(cell.id) for cell in plan.cells}), home)
            judge(lambda: folder.status(first).process and folder.status(first).process.alive, home)

    results()


@fuzzed()
@given(json_files({"results": {"own": RIGHT}}, {"reason": "it broke"}))
def test_what_workers_send(home: Path, content: bytes) -> None:
    found = judge(lambda: Outcome.read(content.decode("utf-8", "replace")), home)
    assert isinstance(found, Outcome)


def test_searches(home: Path) -> None:
    pytest.importorskip("optuna")
    (home / "search").mkdir()
    journal = home / "search" / "journal.log"
    Search(BASE, Limits(), journal, 0).trials()
    about = {"base": encode(BASE), "limits": encode(Limits()), "storage": str(journal), "trials": 5, "seed": 0}
    lines = journal.read_bytes().splitlines(keepends=True)

    @fuzzed(share=0.1)
    @given(json_files(about), damaged(journal.read_bytes()) | st.permutations(lines).map(b"".join))
    def searches(order: bytes, content: bytes) -> None:
        (home / "search" / "tune.json").write_bytes(order)
        judge(lambda: load_json(home / "search" / "tune.json", Order), home)
        journal.write_bytes(content)
        judge(lambda: Search(BASE, Limits(), journal, 0).trials(), home)

    searches()
