"""The power goes at each of the file operations of a checkpoint in turn: what was there before is there still, or the
new one is whole, and a run goes on from it to the very same weights."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from hrmlab.core.carry import Carry
from hrmlab.errors import CheckpointError
from hrmlab.tasks import Examples
from hrmlab.training.checkpoint import checkpoints, restore, save_checkpoint, verify
from tests.training.test_checkpoint import run_config, run_steps, trainer

OPERATIONS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree"}
"""Events that Python tells of (PEP 578) before it does them."""
STEPS = 6


class PowerCut(BaseException):
    """Nothing that runs afterwards changes a file."""


class Power:
    """Goes off before the n-th file operation below a folder; every later one fails as well, clearing up included."""

    def __init__(self) -> None:
        self.below, self.left = "", -1
        sys.addaudithook(self._before)

    def _before(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.below and event in OPERATIONS and str(arguments[0]).startswith(self.below):
            self.left -= 1
            if self.left < 0:
                raise PowerCut

    @contextmanager
    def cut(self, below: Path, after: int) -> Iterator[None]:
        self.below, self.left = str(below), after
        try:
            yield
        finally:
            self.below = ""


POWER = Power()
"""One for all: a hook of this kind cannot be taken off again."""


@pytest.fixture(scope="module")
def examples() -> Examples:
    return run_config().task.generate(24, 4, seed=0).train


@pytest.fixture(scope="module")
def whole(examples: Examples) -> dict[str, Any]:
    """The state of a run that nothing interrupted."""
    run = trainer(run_config(steps=STEPS), examples)
    run_steps(run, STEPS)
    return state(run)


def state(run: Any) -> dict[str, Any]:
    carry: Carry = run.carry
    return {
        "weights": run.model.state_dict(),
        "average": run.evaluated_model.state_dict(),
        "carry": {"halted": carry.halted, "steps": carry.steps},
        "draws": {"generator": run.generator.get_state()},
    }


def test_wherever_the_power_goes_a_run_goes_on_to_the_same_state(
    tmp_path: Path, examples: Examples, whole: dict[str, Any]
) -> None:
    went_on_from = []
    for operations in count():
        folder = tmp_path / str(operations)
        run = trainer(run_config(steps=STEPS), examples)
        run_steps(run, 2)
        save_checkpoint(run, folder, keep=1)
        run_steps(run, 4)
        done = True
        try:
            with POWER.cut(folder, operations):
                save_checkpoint(run, folder, keep=1)
        except (PowerCut, CheckpointError):
            done = False
        tear(folder)
        sound = checkpoints(folder)
        verify(sound[-1])
        went_on_from.append(int(sound[-1].name))
        second = trainer(run_config(steps=STEPS), examples)
        restore(second, sound[-1])
        run_steps(second, STEPS)
        for part, tensors in state(second).items():
            assert all(torch.equal(tensor, whole[part][name]) for name, tensor in tensors.items()), (operations, part)
        if done:
            break
    assert operations > 10 and set(went_on_from) == {2, 4} and went_on_from == sorted(went_on_from)


def tear(folder: Path) -> None:
    """What had not got its name yet may be half on disk."""
    for file in folder.rglob("*"):
        if file.is_file() and any(part.startswith(".") for part in file.relative_to(folder).parts):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_the_next_checkpoint_clears_up_after_a_cut(tmp_path: Path, examples: Examples) -> None:
    run = trainer(run_config(steps=STEPS), examples)
    run_steps(run, 2)
    with pytest.raises((PowerCut, CheckpointError)), POWER.cut(tmp_path, 4):
        save_checkpoint(run, tmp_path)
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    save_checkpoint(run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["00000002"]
