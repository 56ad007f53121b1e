"""Run folders: each file damaged, and checkpoints whose checksums are right but which hold something else."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from fuzz.damage import altered, odd
from fuzz.folders import Changes, Files, changed, changes, files_in
from fuzz.harness import fuzzed, judge
from fuzz.hostile import SENTINEL, TENSORS, pickles, saved
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.api.exporting import results_of
from hrmlab.api.targets import find_run
from hrmlab.api.training import trainer_of
from hrmlab.config import override
from hrmlab.core.model import HRM
from hrmlab.interop import card
from hrmlab.presets import preset
from hrmlab.reports.page import divergences, training_data
from hrmlab.results import Evaluation, Protocol
from hrmlab.tasks.base import Split
from hrmlab.training.checkpoint import MANIFEST, TRAINING, WEIGHTS, restore, save_checkpoint
from hrmlab.training.config import RunConfig
from hrmlab.training.folder import RunFolder
from hrmlab.training.loop import Trainer
from hrmlab.training.progress import forget_after

CPU = torch.device("cpu")
OLD, NEW = "checkpoints/00000001", "checkpoints/00000002"


def config() -> RunConfig:
    small = ("model.size.width=8", "model.size.layers=1", "model.size.heads=2", "model.size.round_to=8")
    plain = ("model.block=post_norm", "model.embedding=tokens", "training.batch_size=2", "training.engine=eager")
    rows = ('model.puzzle={"width":8}', "training.puzzle_optimiser=adagrad_row")
    budget = ("training.seconds=null", "training.steps=1000000")
    return override(preset("hrm-sudoku-4x4").make(), (*small, *plain, *rows, *budget))


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    made = config().task.generate(6, 2, seed=0)
    trainer = trainer_of(config(), Split(made.train, made.test, "made"), CPU)
    trainer.step()
    return trainer


@pytest.fixture(scope="module")
def sound(home: Path, trainer: Trainer) -> Files:
    """The files of a run with two checkpoints, at `home`/run."""
    folder = RunFolder.create(home / "run", config())
    save_checkpoint(trainer, folder.checkpoints)
    folder.log({"step": 1, "seconds": 0.5, "loss": 2.0, "evaluation": {"exact": 0.5, "by_segment": [0.5]}})
    folder.log({"step": 1, "seconds": 0.6, "diverged": "the loss became nan", "at": 2, "action": "skip"})
    folder.log(
        {"step": 1, "seconds": 0.7, "diverged": "the loss became nan", "at": 2, "action": "roll_back", "rate": 0.5}
    )
    trainer.step()
    save_checkpoint(trainer, folder.checkpoints)
    folder.log({"step": 2, "seconds": 1.5, "loss": 1.0})
    folder.write("results.json", RESULTS.plain())
    return files_in(home / "run")


PROTOCOL = Protocol(
    {"kind": "sudoku"}, "made", "test", 0, {"kind": "fixed"}, 4, "last", "cpu", "float32", {"torch": "2"}
)
RESULTS = Evaluation(
    n=2, exact=0.5, exact_interval=(0.1, 0.9), cell=0.7, valid=0.5, valid_interval=(0.1, 0.9), mean_segments=4.0,
    p95_segments=4.0, by_segment=[0.2, 0.5], seconds=1.0, puzzles_per_second=2.0, protocol=PROTOCOL,
)  # fmt: skip


def test_folders(home: Path, sound: Files, trainer: Trainer) -> None:
    @fuzzed(share=0.25)
    @given(changes(sound))
    def folders(different: Changes) -> None:
        with changed(home / "run", sound, different):
            model = look(home / "run", trainer)
            if not any(name.startswith(OLD) or name == "config.json" for name in different):
                assert model is not None, "the older checkpoint is sound"

    folders()


def look(path: Path, trainer: Trainer) -> HRM | None:
    """All that reads a run; its model."""
    folder = RunFolder(path)

    def shown() -> None:
        lines = folder.metrics()
        json.dumps(training_data(lines), allow_nan=False)
        assert all(isinstance(said, str) for said in divergences(lines))

    for step in (shown, lambda: restore(trainer, folder.last_checkpoint()), lambda: forget_after(folder, 1)):
        judge(step, path.parent)
    run = judge(lambda: find_run(path), path.parent)
    if run is None:
        return None
    for step in (lambda: run.fingerprint, lambda: card.measured(results_of(run))):
        judge(step, path.parent)
    return judge(lambda: run.load(CPU), path.parent)


VALUES = odd() | st.sampled_from(TENSORS) | st.sampled_from((2**31, 2**63, -3, [], {"momentum": torch.zeros(3)}))


def put(run: Path, content: bytes) -> None:
    """What the newest checkpoint holds beside its weights, under its right checksum."""
    (run / NEW / TRAINING).write_bytes(content)
    manifest = json.loads((run / NEW / MANIFEST).read_bytes())
    manifest["sha256"][TRAINING] = hashlib.sha256(content).hexdigest()
    (run / NEW / MANIFEST).write_text(json.dumps(manifest))


def test_states(home: Path, sound: Files, trainer: Trainer) -> None:
    state = torch.load(home / "run" / NEW / TRAINING, weights_only=True)

    @fuzzed(share=0.5)
    @given(st.deferred(lambda: altered(state, edits=2, values=VALUES)))
    def states(thing: Any) -> None:
        with changed(home / "run", sound, {f"{NEW}/{name}": sound[f"{NEW}/{name}"] for name in (TRAINING, MANIFEST)}):
            put(home / "run", saved(thing))
            gone_on_from(home, trainer)

    states()


def gone_on_from(home: Path, trainer: Trainer) -> None:
    def go_on() -> None:
        restore(trainer, home / "run" / NEW)
        trainer.step()

    judge(go_on, home)


def test_pickles(home: Path, sound: Files, trainer: Trainer) -> None:
    @fuzzed(share=0.5)
    @given(pickles(sound[f"{NEW}/{TRAINING}"]))
    def states(content: bytes) -> None:
        with changed(home / "run", sound, {f"{NEW}/{name}": sound[f"{NEW}/{name}"] for name in (TRAINING, MANIFEST)}):
            put(home / "run", content)
            judge(lambda: restore(trainer, home / "run" / NEW), home)
        assert not (home / SENTINEL).exists()

    states()


@pytest.mark.parametrize("file", [f"{NEW}/{WEIGHTS}", f"{NEW}/{TRAINING}", f"{NEW}/{MANIFEST}"])
@pytest.mark.parametrize("left", [None, 0, 100])
def test_where_the_newest_checkpoint_is_damaged_the_one_before_is_used(
    home: Path, sound: Files, file: str, left: int | None
) -> None:
    with changed(home / "run", sound, {file: None if left is None else sound[file][:left]}):
        assert judge(lambda: find_run(home / "run").weights, home) == home / "run" / OLD / WEIGHTS


@pytest.mark.parametrize("name", ["../../config.json", "/etc/hostname", "", ".", "x\x00", "weights.safetensors/x"])
def test_a_manifest_that_names_other_files_is_refused(home: Path, sound: Files, name: str) -> None:
    sums = json.loads(sound[f"{NEW}/{MANIFEST}"])["sha256"]
    for named in (sums | {name: "0" * 64}, {name: "0" * 64}, {}):
        with changed(home / "run", sound, {f"{NEW}/{MANIFEST}": json.dumps({"sha256": named}).encode()}):
            assert judge(lambda: find_run(home / "run").weights, home) == home / "run" / OLD / WEIGHTS
