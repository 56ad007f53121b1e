"""A tiny run, trained once for all, and the command line in-process."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hrmlab import api
from hrmlab.cli import main

TINY = (
    "data.train=64",
    "data.test=16",
    "model.size.width=8",
    "model.size.layers=1",
    "model.schedule.cycles=2",
    "training.batch_size=8",
    "training.checkpoint_every=5",
    "halting.max_segments=3",
    "evaluation.max_segments=3",
)


@dataclass(frozen=True)
class Called:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        return json.loads(lines[0])


Hrm = Callable[..., Called]


@pytest.fixture(scope="session")
def tiny_options() -> tuple[str, ...]:
    return TINY


@pytest.fixture
def hrm(capsys: pytest.CaptureFixture[str]) -> Hrm:
    """Calls `hrm` with these words."""

    def call(*words: object) -> Called:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Called(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 10 steps; not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "tiny"
    api.train("sudoku-4x4", TINY, out=path, steps=10, device="cpu", quiet=True)
    return path


@pytest.fixture(scope="session")
def puzzles(run: Path) -> list[str]:
    """Held-out puzzles of the run, as text."""
    from hrmlab.api.puzzles import held_out
    from hrmlab.api.targets import find_run

    config = find_run(run).config
    examples, _ = held_out(config, True)
    return [config.task.format(tokens) for tokens in examples.inputs]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set of 4x4 Sudoku; not to be changed."""
    path = tmp_path_factory.mktemp("data") / "four"
    api.data_build("sudoku-4x4", out=path, train=30, test=10, seed=3, quiet=True)
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs without --out land in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    yield
