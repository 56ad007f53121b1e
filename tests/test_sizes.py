"""The sources stay readable: small files, and the paper's part of them in one sitting."""

from pathlib import Path
from statistics import median

SOURCES = Path(__file__).parent.parent / "src/hrmlab"
FORWARD = ("schedule", "recurrence", "carry", "heads", "model", "act")
"""What one reads of core/ to know how a segment is computed and who halts after it."""


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_long_and_most_are_short() -> None:
    sizes = {str(path.relative_to(SOURCES)): lines(path) for path in SOURCES.rglob("*.py")}
    assert {name: size for name, size in sizes.items() if size > 300} == {}
    assert median(sizes.values()) <= 130


def test_the_forward_pass_with_its_halting_is_read_in_800_lines() -> None:
    assert sum(lines(SOURCES / f"core/{name}.py") for name in FORWARD) <= 800
