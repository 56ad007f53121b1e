"""Rules of tasks."""

import numpy as np

from hrmlab.checks.asking import Rule, Skipped, demand
from hrmlab.errors import HrmLabError
from hrmlab.registry import Entry
from hrmlab.tasks.base import IGNORE, Examples, Split, Task

COUNT = 6


def task(entry: Entry) -> Task:
    """The task by its defaults.

    Raises:
        Skipped: it wants files that only its user has.
    """
    made: Task = entry.config()
    try:
        made.spec()
    except HrmLabError as error:
        raise Skipped(f"its defaults are no complete task: {error}") from None
    return made


def puzzles(entry: Entry, train: int = COUNT, seed: int = 3) -> Split:
    """A few puzzles of it.

    Raises:
        Skipped: it generates none.
    """
    made = task(entry)
    try:
        return made.generate(train, COUNT, seed)
    except HrmLabError as error:
        raise Skipped(f"it generates no puzzles: {error}") from None


def spec(entry: Entry) -> None:
    """Its sizes, board, relations and symbols fit each other."""
    told = task(entry).spec()
    cells = int(np.prod(told.shape)) if told.shape else told.seq_len
    demand(told.seq_len >= 1 and told.vocab_size >= 2, "wanted 1 or more cells and 2 or more tokens (0 is padding)")
    demand(cells == told.seq_len, f"shape {told.shape} has {cells} cells, seq_len is {told.seq_len}")
    for relation in told.relations:
        links = relation.links
        demand(links.shape == (cells, cells), f"relation '{relation.name}' is of {links.shape}, wanted {cells} cells")
    for token in told.symbols.tokens if told.symbols else ():
        demand(0 < token < told.vocab_size, f"symbol token {token} is outside of 1..{told.vocab_size - 1}")


def shape(entry: Entry) -> None:
    """Its puzzles and answers are tokens of the vocabulary, a row of cells each."""
    told, split = task(entry).spec(), puzzles(entry)
    for name, examples in (("train", split.train), ("test", split.test)):
        demand(len(examples) == COUNT, f"{COUNT} {name} puzzles were asked for, {len(examples)} came")
        for field in ("inputs", "labels"):
            tokens, scored = getattr(examples, field), np.ones((), bool)
            demand(tokens.shape == (COUNT, told.seq_len), f"{name} {field} have shape {tokens.shape}")
            demand(tokens.dtype.kind == "i", f"{name} {field} are {tokens.dtype}; wanted integers")
            scored = tokens != IGNORE if field == "labels" else scored
            inside = (tokens >= 0) & (tokens < told.vocab_size) | ~scored
            demand(inside.all(), f"{name} {field} hold tokens outside of 0..{told.vocab_size - 1}")
        named = (examples.identifiers >= 0) & (examples.identifiers < told.num_identifiers)
        demand(named.all(), f"{name} identifiers lie outside of 0..{told.num_identifiers - 1}")


def determinism(entry: Entry) -> None:
    """Makes the same puzzles from the same seed, and others from another."""
    first, again, other = puzzles(entry), puzzles(entry), puzzles(entry, seed=4)
    for part in ("train", "test"):
        demand(_same(getattr(first, part), getattr(again, part)), f"seed 3 gave other {part} puzzles the second time")
    demand(not _same(first.train, other.train), "seeds 3 and 4 gave the same puzzles")


def held_out(entry: Entry) -> None:
    """Its held-out puzzles depend on their number and the seed alone, and are not trained on."""
    few, more = puzzles(entry), puzzles(entry, train=2 * COUNT)
    demand(_same(few.test, more.test), "more training puzzles gave other held-out ones")
    trained = {row.tobytes() for row in np.asarray(more.train.inputs, np.int32)}
    shared = sum(row.tobytes() in trained for row in np.asarray(more.test.inputs, np.int32))
    demand(not shared, f"{shared} of {COUNT} held-out puzzles are among the {2 * COUNT} training puzzles")


def text(entry: Entry) -> None:
    """Reads back the text that it writes."""
    made = task(entry)
    for row in puzzles(entry).test.inputs:
        line = made.format(row)
        demand("\n" not in line, "writes a puzzle in several lines; wanted one")
        demand(np.array_equal(made.parse(line), row), f"reads {line!r}, which it wrote, as another puzzle")


def rules(entry: Entry) -> None:
    """Takes its puzzles for fair and its labels for right."""
    made, test = task(entry), puzzles(entry).test
    for row in test.inputs:
        why = made.check(row)
        demand(why is None, f"takes its own puzzle {made.format(row)!r} for unfair: {why}")
    answers = np.where(test.labels == IGNORE, test.inputs, test.labels)
    right = made.valid(test.inputs, answers)
    demand(right.shape == (COUNT,) and right.dtype == bool, "valid gives no (n,) booleans")
    demand(right.all(), f"takes {COUNT - int(right.sum())} of {COUNT} of its own answers for wrong")
    blank = np.zeros_like(answers)
    demand(not made.valid(test.inputs, blank).any(), "takes an answer of nothing but padding for right")


def mistakes(entry: Entry) -> None:
    """Refuses text that is no puzzle with an error that its user can mend."""
    made = task(entry)
    for line in ("", "\x00" * (made.spec().seq_len + 1)):
        try:
            made.parse(line)
        except HrmLabError:
            continue
        demand(False, f"takes {line[:3]!r} for a puzzle")


def drawing(entry: Entry) -> None:
    """Draws a puzzle, an answer and what changed, as text."""
    made, test = task(entry), puzzles(entry).test
    asked, answer = test.inputs[0], np.where(test.labels[0] == IGNORE, test.inputs[0], test.labels[0])
    for drawn in (made.draw(asked), made.draw(asked, answer), made.draw(asked, answer, asked)):
        demand(isinstance(drawn, str) and drawn.strip(), "draws nothing")
    demand(len(made.faces()) == made.spec().vocab_size, "faces() has not one face for each token")
    demand(made.broken(asked, answer).shape == asked.shape, "broken() does not give a boolean for each cell")


def _same(one: Examples, two: Examples) -> bool:
    return np.array_equal(one.inputs, two.inputs) and np.array_equal(one.labels, two.labels)


RULES: dict[str, Rule[Entry]] = {
    "spec": spec,
    "shape": shape,
    "determinism": determinism,
    "held out": held_out,
    "text": text,
    "rules": rules,
    "mistakes": mistakes,
    "drawing": drawing,
}
