"""What the specialist reads again: ledgers, traces, proposals, edits, settings of hosts, jobs, what a child leaves."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz.damage import altered, damaged, damaged_text, json_files, plain
from fuzz.folders import Changes, Files, changed, changes, files_in, json_lines
from fuzz.harness import fuzzed, judge
from fuzz.npy import arrays
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.specialist import merging
from hrmlab.specialist.jobs import Jobs
from hrmlab.specialist.ledger import GENESIS, NAME, Ledger
from hrmlab.specialist.patching import edits_of, patch
from hrmlab.specialist.plugins.child import OUT
from hrmlab.specialist.plugins.leavings import read_integers, read_result
from hrmlab.specialist.proposing import FILE, propose, verify
from hrmlab.specialist.tools.workshop import Workshop
from hrmlab.specialist.tools.writing import hrm_export

TARGET = "hrm-sudoku-4x4"


@pytest.fixture(scope="module")
def ledger(home: Path) -> bytes:
    made = Ledger(home / "made" / NAME)
    for number in range(3):
        made.append("measure", {"target": TARGET}, {"exact": number / 2, "list": [1, None, "x"]})
    return made.path.read_bytes()


def test_ledgers(home: Path, ledger: bytes) -> None:
    kept = Ledger(home / "told" / NAME)
    kept.path.parent.mkdir()
    sound = Ledger(home / "made" / NAME).records()

    @fuzzed()
    @given(json_lines(ledger))
    def ledgers(content: bytes) -> None:
        kept.path.write_bytes(content)
        found = judge(kept.records, home)
        assert found is None or found == sound[: len(found)]
        judge(kept.mend, home)
        mended = judge(kept.records, home)
        assert mended is not None, "what is left after mending is sound"
        record = judge(lambda: kept.append("look", {}, {"n": 1}), home)
        assert record is not None and record.previous == (mended[-1].digest if mended else GENESIS)

    ledgers()


SAID = {
    "event": "response",
    "messages": 1,
    "message": {
        "kind": "response",
        "parts": [
            {"part_kind": "text", "content": "the model halts late [e1]"},
            {"part_kind": "tool-call", "tool_name": "hrm_inspect", "args": {"target": TARGET}, "tool_call_id": "c1"},
        ],
        "usage": {"input_tokens": 5, "output_tokens": 7},
        "model_name": "m",
        "timestamp": "2026-01-01T00:00:00Z",
    },
}


def test_traces(home: Path) -> None:
    pytest.importorskip("pydantic_ai")
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models.function import FunctionModel

    from hrmlab.specialist.agent.models import model_of

    FunctionModel(lambda messages, info: ModelResponse(parts=[]))  # loads tables of prices, longer than a case may take
    lines = b"\n".join(map(plain, ({"event": "phase", "name": "look"}, SAID, SAID)))

    @fuzzed()
    @given(json_lines(lines), damaged_text("replay:trace.jsonl", "ollama:m", "replay:."))
    def traces(content: bytes, name: str) -> None:
        (home / "trace.jsonl").write_bytes(content)
        found = judge(lambda: model_of("replay:trace.jsonl"), home)
        assert found is None or isinstance(found, FunctionModel)
        if name.startswith("replay"):
            judge(lambda: model_of(name), home)

    traces()


@pytest.fixture(scope="module")
def proposal(home: Path) -> Path:
    folder = home / "proposal"
    propose(
        TARGET, ["training.steps=5"], because="x", predict="y", aim="operations_training_step", out=folder, quiet=True
    )
    kept = json.loads((folder / FILE).read_text())
    kept["proposal"]["verdict"] = "accept"
    (folder / FILE).write_text(json.dumps(kept))
    shutil.rmtree(folder / "runs", ignore_errors=True)
    return folder


def test_proposals(home: Path, proposal: Path) -> None:
    sound = json.loads((proposal / FILE).read_text())
    registered = (proposal / NAME).read_bytes()
    (proposal / NAME).write_bytes(b"")  # nothing was written down before: no case comes to be trained
    shop = Workshop(home / "state", (home,), writes=True)

    @fuzzed()
    @given(json_files(sound, {"target": TARGET, "proposal": sound["proposal"]}))
    def proposals(content: bytes) -> None:
        (proposal / FILE).write_bytes(content)
        assert judge(lambda: verify(proposal, seeds=1, steps=1, quiet=True), home) is None
        judge(lambda: hrm_export(shop, str(proposal), str(home / "exported.json")), home)
        (home / "exported.json").unlink(missing_ok=True)

    proposals()
    assert registered


EDITS = [
    {"file": "model.py", "search": "x = 1", "replace": "x = 2"},
    {"file": "a/note.md", "search": "b", "replace": "c"},
]


@pytest.fixture(scope="module")
def fork(home: Path) -> Path:
    fork = home / "fork"
    (fork / "a").mkdir(parents=True)
    (fork / "model.py").write_text("x = 1\ny = 1\n")
    (fork / "a" / "note.md").write_text("a b")
    (fork / "bytes.py").write_bytes(b"\xff\x00")
    (fork / "outside").symlink_to("/etc")
    return fork


def test_edits(home: Path, fork: Path) -> None:
    before = files_in(fork)
    names = st.sampled_from(
        ("../x", "/etc/passwd", "outside/passwd", "a", "", "bytes.py", "x\x00", "x" * 300, "a/../model.py")
    )

    @fuzzed()
    @given(json_files(EDITS) | altered(EDITS, edits=2, values=names | st.text(max_size=3)).map(plain))
    def edits(content: bytes) -> None:
        (home / "edits.json").write_bytes(content)
        found = judge(lambda: edits_of(home / "edits.json"), home)
        if found is not None:
            made = judge(lambda: patch(fork, found, out=home / "patched"), home)
            assert made is None or set(made.files) <= before.keys()
        shutil.rmtree(home / "patched", ignore_errors=True)

    edits()
    assert files_in(fork) == before


MINE = {"command": "hrm", "args": ["mcp"]}


@fuzzed()
@given(
    json_files({"mcpServers": {"other": MINE}, "x": [1]}, {"mcpServers": {"hrm": MINE}}),
    damaged(b"[mcp.other]\na = 1\n"),
)
def test_settings_of_hosts(home: Path, content: bytes, toml: bytes) -> None:
    (home / "settings.json").write_bytes(content)
    (home / "settings.toml").write_bytes(toml)
    merged = judge(lambda: merging.with_entry(home / "settings.json", "mcpServers", "hrm", MINE), home)
    assert merged is None or json.loads(merged)["mcpServers"]["hrm"] == MINE
    judge(lambda: merging.with_listed(home / "settings.json", {}, "mcpServers", {"name": "hrm"}), home)
    text = judge(lambda: merging.with_table(home / "settings.toml", "mcp", "hrm", {"command": "hrm"}), home)
    assert text is None or text.startswith(toml.decode("utf-8-sig"))


@pytest.fixture(scope="module")
def job(home: Path) -> Files:
    folder = home / "jobs" / "job_1"
    folder.mkdir(parents=True)
    about = {"words": ["eval", "x"], "pid": os.getpid(), "began": 0.0, "started": 1.0}
    (folder / "job.json").write_text(json.dumps(about))
    (folder / "end.json").write_text(json.dumps({"state": "done", "code": 0, "ended": 2.0}))
    (folder / "out").write_text(json.dumps({"exact": 1.0}))
    (folder / "log").write_text("evaluating\rdone\n")
    return files_in(folder)


def test_jobs(home: Path, job: Files) -> None:
    def ways(name: str, source: bytes) -> st.SearchStrategy[bytes]:
        return damaged(source) if name == "log" else json_files(json.loads(source))

    @fuzzed()
    @given(changes(job, ways), st.sampled_from(("job_1", "../job_1", "/etc", "", "x\x00", "job_" + "1" * 300)))
    def jobs(different: Changes, id: str) -> None:
        with changed(home / "jobs" / "job_1", job, different):
            found = judge(lambda: Jobs(home / "jobs").look(id), home)
            assert found is None or found.state in ("running", "done", "failed", "cancelled", "lost")

    jobs()


@fuzzed()
@given(json_files({"build": {"parameters": 5}, "error": None}), arrays(), damaged_text("answers.npy"))
def test_what_a_child_leaves(home: Path, content: bytes, array: bytes, link: str) -> None:
    out = home / "scratch" / OUT
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").write_bytes(content)
    (out / "answers.npy").write_bytes(array)
    judge(lambda: read_result(home / "scratch"), home)
    found = judge(lambda: read_integers(out / "answers.npy", (2, 4)), home)
    assert found is None or (found.shape == (2, 4) and found.dtype == np.int64)


@pytest.mark.parametrize("make", [Path.symlink_to, Path.hardlink_to])
def test_a_link_that_a_child_leaves_is_no_file_of_its_own(home: Path, make: Any) -> None:
    (home / "secret.json").write_text('{"secret": 1}')
    out = home / "linked" / OUT
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").unlink(missing_ok=True)
    make(out / "result.json", home / "secret.json")
    found = judge(lambda: read_result(home / "linked"), home)
    assert (found is None) == (make is Path.symlink_to)  # a hard link needs rights to the file itself
