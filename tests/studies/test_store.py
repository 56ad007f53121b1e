"""The study folder keeps what it was told."""

import json
from pathlib import Path
from typing import Any

import pytest

from hrmlab.errors import DataError
from hrmlab.studies.store import Status, StudyFolder

DONE = Status(state="done", attempts=1, results={"own": {"exact": 0.5}})


def plan(id: str, **changes: Any) -> dict[str, Any]:
    return {"id": id, "arm": "base", "seed": 1, "config": {"a": 1}, "evaluations": {"own": {}}} | changes


def test_what_is_planned_is_written_at_once(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study")
    folder.prepare({"name": "trial"}, [plan("one"), plan("two", seed=2)])
    assert folder.status("two") == Status()
    assert folder.about("two") == "base, seed 2"
    assert json.loads((folder.cell("one") / "config.json").read_text()) == {"a": 1}


def test_what_is_done_stays_when_the_study_grows_or_shrinks(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study")
    folder.prepare({"name": "trial"}, [plan("one"), plan("two")])
    folder.mark("one", DONE)
    folder.mark("two", Status(state="failed", attempts=1, reason="no luck"))
    folder.prepare({"name": "trial"}, [plan("one", arm="renamed"), plan("three")])
    assert folder.status("one") == DONE and folder.about("one") == "renamed, seed 1"
    assert folder.status("two").reason == "no luck"
    assert folder.status("three").state == "planned"


def test_other_evaluations_are_measured_again(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study")
    folder.prepare({"name": "trial"}, [plan("one")])
    folder.mark("one", DONE)
    folder.prepare({"name": "trial"}, [plan("one", evaluations={"own": {}, "long": {"max_segments": 9}})])
    assert folder.status("one") == Status()


def test_another_study_or_other_files_are_left_alone(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study")
    folder.prepare({"name": "trial"}, [plan("one")])
    with pytest.raises(DataError, match="holds the study 'trial', 'other' came"):
        folder.prepare({"name": "other"}, [])
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    with pytest.raises(DataError, match="holds no study"):
        StudyFolder(tmp_path / "photos").prepare({"name": "trial"}, [])


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StudyFolder(tmp_path / "study")
    folder.prepare({"name": "trial"}, [plan("one")])
    folder.mark("one", DONE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hrmlab.core.weights.os.fsync", full)
    with pytest.raises(Exception, match="No space left on device"):
        folder.mark("one", Status())
    assert folder.status("one") == DONE
    assert sorted(path.name for path in folder.cell("one").iterdir()) == ["cell.json", "config.json", "status.json"]
