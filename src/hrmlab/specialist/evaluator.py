"""The judge is fixed: its sources are hashed before and after. Puzzles follow from the task and its seed, which no
change may touch (`gates.static`)."""

import hashlib
from pathlib import Path

import hrmlab
from hrmlab.errors import HrmLabError

JUDGES = (
    "inference",
    "studies",
    "tasks",
    "halting",
    "losses",
    "specialist/gates",
    "specialist/plugins",
    "specialist/sandbox",
    "specialist/trying.py",
    "api/evaluation.py",
    "api/puzzles.py",
)
"""What decides a score or a verdict."""


def fingerprint() -> str:
    """SHA-256 of the judge's sources, by path and content."""
    root, whole = Path(hrmlab.__file__).parent, hashlib.sha256()
    for name in JUDGES:
        place = root / name
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            whole.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return whole.hexdigest()


def unchanged(before: str) -> None:
    """Raises HrmLabError if the judge is not what it was: nothing that it said since counts."""
    if fingerprint() != before:
        raise HrmLabError("the sources that judge were changed meanwhile; no verdict of this consultation counts")


def sealed_seed(digest: str, proposal: str) -> int:
    """The first of the seeds that confirm a proposal: it follows from evidence taken before the proposal was made."""
    return 10_000 + int(hashlib.sha256(f"{digest}/{proposal}".encode()).hexdigest()[:6], 16)
