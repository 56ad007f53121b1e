"""ARC puzzles as JSON: folders of them, demonstrations, and the held-out ones of a data set."""

from pathlib import Path

from fuzz.damage import json_files
from fuzz.harness import fuzzed, judge
from hypothesis import given

from hrmlab.tasks import Arc
from hrmlab.tasks.arc.source import read
from hrmlab.tasks.arc.voting import Votes
from hrmlab.tasks.demonstrations import read_demonstrations

PUZZLE = {
    "train": [{"input": [[0, 1], [2, 3]], "output": [[9]]}, {"input": [[1]], "output": [[2, 2]]}],
    "test": [{"input": [[5, 5, 5]], "output": [[0]]}],
}


@fuzzed()
@given(json_files(PUZZLE, {**PUZZLE, "test": [{"input": [[1]]}]}))
def test_puzzles(home: Path, data: bytes) -> None:
    folder = home / "evaluation"
    folder.mkdir(exist_ok=True)
    (folder / "one.json").write_bytes(data)
    found = judge(lambda: read(str(folder)), home)
    if found is not None:
        assert all(1 <= min(grid.shape) <= max(grid.shape) <= 30 for pair in found[0][0].pairs for grid in pair)
    judge(lambda: read_demonstrations(Arc(), folder / "one.json"), home)


@fuzzed()
@given(json_files({"a": PUZZLE}), json_files(["<blank>", "a", "a|||t1|||0123456789"]))
def test_votes(home: Path, puzzles: bytes, names: bytes) -> None:
    (home / "test_puzzles.json").write_bytes(puzzles)
    (home / "identifiers.json").write_bytes(names)
    judge(lambda: Votes.of(home), home)
