"""What verbs read again of their own: measurements, diagnoses, fitted vectors, lists of puzzles, remembered choices."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fuzz.damage import altered, damaged, json_files, plain
from fuzz.folders import any_file
from fuzz.harness import fuzzed, judge
from fuzz.hostile import TENSORS
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from hrmlab.analysis import threads
from hrmlab.api import reporting
from hrmlab.api.adapting import with_vector
from hrmlab.api.jobs import Lines
from hrmlab.api.targets import find_run
from hrmlab.config import override
from hrmlab.core import choosing
from hrmlab.core.model import HRM
from hrmlab.presets import preset
from hrmlab.reports.bench import regressions
from hrmlab.reports.page import assemble
from hrmlab.results import Bench, Diagnosis, EngineTiming, Finding, Measurement
from hrmlab.training.folder import RunFolder

TIMING = EngineTiming("eager", "train", {"median": 5.0, "mad": 0.1, "busy": 5.0}, 1e4, 0.5, 100.0, None, None)
BENCH = Bench(
    name="hrm-sudoku-4x4", engines=[TIMING], ratio_to_reference={"train": 1.5}, noisy=False, why=[],
    machine={"peak": 1e9, "bandwidth": 1e9, "threads": 1}, roofline=[], regressions=[], explanation=[],
    protocol={"batch_size": 4, "trained": False, "when": "2026-01-01T00:00:00"},
)  # fmt: skip


@fuzzed()
@given(json_files(BENCH.plain()))
def test_measurements(home: Path, content: bytes) -> None:
    (home / "bench.json").write_bytes(content)
    told = judge(lambda: regressions(home / "bench.json")(BENCH), home)
    assert told is None or json.dumps(told.plain())


FINDING = Finding("gradient_path.leak", "warn", 0.5, 0.1, "D", "It leaks.", "Mend it.", {"model.block": "post_norm"})
ROWS = [
    {"address": f"segment[0]/high[{at}]", "level": "high", "gradient": 0.5 * at, "expected": bool(at), "row": at}
    for at in range(2)
]
MEASUREMENT = Measurement(
    "gradient_path", "D-01", "Does it?", "A number.", "hrm-lab", [], "warn", "", {"leak": 0.5}, ROWS, [], [FINDING],
    4, 1.0,
)  # fmt: skip
ABOUT = {"puzzles": 4, "segments": 2, "weights": "last", "seed": 0}
DIAGNOSIS = Diagnosis("mine", "economy", [FINDING], ["gradient_path"], [], [MEASUREMENT], ABOUT, 1.0, [])
NOTHING = {
    "board": None, "puzzles": [], "attention": None, "halting": None, "training": [], "divergences": [], "start": 0,
}  # fmt: skip


class Looked:
    kind = "gradient_path"


def test_diagnoses(home: Path) -> None:
    sound = DIAGNOSIS.plain()
    assemble("mine", DIAGNOSIS, NOTHING)  # what is imported at the first time takes longer than a case may

    @fuzzed(share=0.4)
    @given(json_files(sound) | altered(sound, edits=1).map(plain))
    def diagnoses(content: bytes) -> None:
        (home / "diagnosis.json").write_bytes(content)

        def shown() -> None:
            found = reporting._earlier(home / "diagnosis.json", "economy", [Looked()], ABOUT)  # type: ignore[list-item]
            if found is not None:
                reporting._drawn("mine", found, NOTHING)

        judge(shown, home)

    diagnoses()


@pytest.fixture(scope="module")
def adapted(home: Path) -> tuple[HRM, object]:
    """A model with puzzle vectors, and its run."""
    words = ("model.block=post_norm", "model.embedding=tokens", 'model.puzzle={"width":24}')
    config = override(preset("hrm-sudoku-4x4").make(), words)
    return HRM(config.model, config.task.spec()), find_run("sudoku-4x4")


def test_vectors(home: Path, adapted: tuple[HRM, object]) -> None:
    model, run = adapted
    weights = {"weights": run.fingerprint}  # type: ignore[attr-defined]
    sound = torch.zeros(model.config.size.width)
    dense = [tensor for tensor in TENSORS if tensor.layout == torch.strided and tensor.numel() < 10**6]
    others = st.sampled_from((*dense, sound.long(), sound.to(torch.complex64), sound.bool(), sound * float("nan")))
    files = st.builds(lambda tensor: save({"vector": tensor.clone()}, weights), others)

    @fuzzed()
    @given(files | any_file("vector.safetensors", save({"vector": sound}, weights)))
    def vectors(content: bytes) -> None:
        (home / "vector.safetensors").write_bytes(content)
        told = judge(lambda: with_vector(model, run, home / "vector.safetensors"), home)  # type: ignore[arg-type]
        assert told is None or model.puzzles is not None

    vectors()


@fuzzed()
@given(damaged(b"12..34.2.1434..1\n\n1 2|. .\r\n{}\n"))
def test_lists_of_puzzles(home: Path, content: bytes) -> None:
    (home / "puzzles.txt").write_bytes(content)

    def read() -> list[tuple[str, str]]:
        with Lines(home / "puzzles.txt") as lines:
            return list(lines)

    found = judge(read, home)
    assert found is None or all(text.strip() for _, text in found)


@fuzzed()
@given(
    json_files({"count": 2, "seconds": {"1": 0.5, "2": 0.25}}),
    json_files({"engine": "eager", "step": {"eager": 0.5}, "compiling": 1.0}),
)
def test_what_is_remembered(home: Path, counts: bytes, engines: bytes) -> None:
    (home / "threads.json").write_bytes(counts)
    (home / "engine.json").write_bytes(engines)
    found = judge(lambda: threads._recalled(home / "threads.json"), home)
    assert found is None or 1 <= found.count <= (os.cpu_count() or 1)
    judge(lambda: choosing._recalled(home / "engine.json"), home)


@fuzzed()
@given(json_files({"imported": "/a/step_5", "versions": {}}))
def test_where_weights_come_from(home: Path, content: bytes) -> None:
    from hrmlab.api.exporting import _step

    (home / "provenance.json").write_bytes(content)
    run = find_run("sudoku-4x4")
    assert isinstance(judge(lambda: _step(replace(run, folder=RunFolder(home))), home), int)
