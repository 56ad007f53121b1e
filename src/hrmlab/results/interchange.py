"""What passes between this library and others."""

from dataclasses import dataclass
from typing import Any

from hrmlab.results.base import Result


@dataclass(frozen=True)
class ParityFile:
    """One file of golden vectors, played again.

    worst: by group, the largest difference from the recorded numbers (relative in a narrow dtype).
    share: by group, the largest part of its tolerance that was used up; over 1 fails.
    error: why the file could not be used.
    """

    file: str
    ok: bool
    worst: dict[str, float]
    share: dict[str, float]
    error: str | None = None


@dataclass(frozen=True)
class Parity(Result):
    """Whether this machine computes what the reference computed. protocol: dtype, compiled, threads, tolerances."""

    ok: bool
    files: list[ParityFile]
    protocol: dict[str, Any]


@dataclass(frozen=True)
class Imported(Result):
    """A reference checkpoint or configuration, translated.

    path: the run folder or configuration file that was written.
    keys: tensors read, by their names on disk.
    parameters: trained numbers, the puzzle table apart.
    notes: what was guessed, and what does not carry over.
    """

    path: str
    keys: list[str]
    parameters: int
    notes: list[str]


@dataclass(frozen=True)
class Exported(Result):
    """A run, written for others to read. keys: tensors written, by their names there."""

    path: str
    format: str
    files: list[str]
    keys: list[str]
