"""The study folder: what was planned, and for every cell what came of it. Nothing is dropped, whatever crashes.

STUDY/study.json               the study
STUDY/cells/<id>/cell.json     arm, seed and evaluations
STUDY/cells/<id>/config.json   the complete configuration; the id is made from it
STUDY/cells/<id>/status.json   planned, running, done with results, or failed with a reason
STUDY/cells/<id>/log.txt       what the cell's process printed
STUDY/cells/<id>/run/          the run folder
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from hrmlab.config import encode, load_json
from hrmlab.core.weights import write_atomically
from hrmlab.errors import CheckpointError, ConfigError, DataError
from hrmlab.reading import read_json
from hrmlab.registry import Strict

Results = dict[str, dict[str, Any]]
"""By evaluation, by measure."""


@dataclass(frozen=True)
class Process(Strict):
    """Told apart from a later process of the same number by when it began."""

    number: int
    began: float

    @classmethod
    def of(cls, number: int) -> "Process":
        """Raises psutil.NoSuchProcess if it is over already."""
        return cls(number, _began(psutil.Process(number)))  # type: ignore[no-untyped-call]

    @property
    def alive(self) -> bool:
        try:
            process: Any = psutil.Process(self.number)  # type: ignore[no-untyped-call]
            return _began(process) == self.began and bool(process.status() != psutil.STATUS_ZOMBIE)
        except (psutil.NoSuchProcess, ValueError, OverflowError):  # what is no number of a process
            return False


@dataclass(frozen=True, kw_only=True)
class Status(Strict):
    """What came of a cell. attempts: how often it was started. seconds: of the last attempt, all told."""

    state: Literal["planned", "running", "done", "failed"] = "planned"
    attempts: int = 0
    reason: str | None = None
    seconds: float | None = None
    process: Process | None = None
    results: Results = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class About(Strict):
    """What a cell is, beside its configuration."""

    id: str
    arm: str
    seed: int
    evaluations: dict[str, Any]


class StudyFolder:
    """A study on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self, study: dict[str, Any], cells: Sequence[dict[str, Any]]) -> None:
        """Write what is planned. What is there of the same study stays, also cells that are planned no longer.

        Args:
            cells: each with its `id`, `arm`, `seed`, `config` and `evaluations`.

        Raises:
            DataError: another study, or something else, is there; or a process is still at work on it.
            CheckpointError: the folder cannot be written.
        """
        self._own(study["name"])
        _write(self.path / "study.json", study)
        for cell in cells:
            self._plan(cell)

    def cell(self, id: str) -> Path:
        """The folder of a cell."""
        return self.path / "cells" / id

    def about(self, id: str) -> str:
        """Arm and seed of a cell, in words."""
        cell = load_json(self.cell(id) / "cell.json", About)
        return f"{cell.arm}, seed {cell.seed}"

    def status(self, id: str) -> Status:
        """Raises ConfigError if the file is missing or does not decode."""
        return _status(self.cell(id) / "status.json")

    def mark(self, id: str, status: Status) -> None:
        """Write what came of a cell, whole or not at all."""
        _write(self.cell(id) / "status.json", encode(status))

    def _plan(self, cell: dict[str, Any]) -> None:
        folder, about = self.cell(cell["id"]), {key: cell[key] for key in ("id", "arm", "seed", "evaluations")}
        _write(folder / "config.json", cell["config"])
        file, known = folder / "cell.json", folder / "status.json"
        # Other evaluations: the trained model is measured again, not trained again.
        same = file.is_file() and _evaluations(file) == about["evaluations"]
        _write(file, about)
        if not known.is_file() or (not same and self.status(cell["id"]).state == "done"):
            self.mark(cell["id"], Status())

    def _own(self, name: str) -> None:
        file = self.path / "study.json"
        if not file.is_file():
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise DataError(f"{self.path} is there and holds no study; choose another --out")
            return
        try:
            other = read_json(file)["name"]
        except (OSError, ValueError, LookupError, TypeError):
            raise DataError(f"{file} is damaged or no study; choose another --out") from None
        if other != name:
            raise DataError(f"{self.path} holds the study '{other}', '{name}' came; choose another --out")
        for status in self.path.glob("cells/*/status.json"):
            process = _status(status).process
            if process is not None and process.alive:
                raise DataError(
                    f"process {process.number} still works on {status.parent}; wait for it, or end it and try again"
                )


def _status(file: Path) -> Status:
    try:
        return load_json(file, Status)
    except ConfigError as error:
        raise ConfigError(f"{error}; delete {file.parent} to have its cell run again") from None


def _evaluations(file: Path) -> dict[str, Any] | None:
    """Of a cell's file; None where it is damaged, which planning it anew mends."""
    try:
        return load_json(file, About).evaluations
    except ConfigError:
        return None


def _began(process: Any) -> float:
    return float(process.create_time())


def _write(path: Path, data: Any) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"cannot make {path.parent}: {error.strerror}; choose another --out") from None
    write_atomically(path, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
