"""Each rule of tasks is broken by a task made to break it: a row of bits, to be turned round."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pytest

from hrmlab.checks import tasks
from hrmlab.checks.asking import ask
from hrmlab.errors import DataError
from hrmlab.registry import Entry
from hrmlab.spec import TaskSpec
from hrmlab.tasks import TASKS, Examples, Split, Task, Tokens

CELLS = 8


@dataclass(frozen=True, kw_only=True)
class Sound(Task):
    """Turn a row of bits round. Tokens: 1 and 2."""

    kind: Literal["turned"] = "turned"

    def spec(self) -> TaskSpec:
        return TaskSpec(seq_len=CELLS, vocab_size=3, shape=(CELLS,))

    def generate(self, train: int, test: int, seed: int) -> Split:
        numbers = np.random.default_rng(seed).permutation(2**CELLS)[: test + train]
        rows = (numbers[:, None] >> np.arange(CELLS) & 1).astype(np.int32) + 1
        return Split(examples(rows[test:]), examples(rows[:test]), "distinct")

    def parse(self, text: str) -> Tokens:
        if len(text) != CELLS or set(text) - {"0", "1"}:
            raise DataError(f"{text!r} came; wanted {CELLS} bits")
        return np.array([int(bit) + 1 for bit in text], np.int32)

    def format(self, tokens: Tokens) -> str:
        return "".join(str(token - 1) for token in tokens.tolist())

    def check(self, puzzle: Tokens) -> str | None:
        return None

    def valid(self, inputs: Tokens, answers: Tokens) -> Any:
        return (inputs[:, ::-1] == answers).all(1)

    def draw(self, puzzle: Tokens, answer: Tokens | None = None, before: Tokens | None = None) -> str:
        return self.format(puzzle if answer is None else answer)


def examples(rows: Tokens) -> Examples:
    nothing = np.zeros(len(rows), np.int32)
    return Examples(rows, rows[:, ::-1], nothing, nothing.astype(np.int64))


@dataclass(frozen=True, kw_only=True)
class OddBoard(Sound):
    def spec(self) -> TaskSpec:
        return replace(super().spec(), shape=(3, 3))


@dataclass(frozen=True, kw_only=True)
class SmallVocabulary(Sound):
    def spec(self) -> TaskSpec:
        return replace(super().spec(), vocab_size=2)


@dataclass(frozen=True, kw_only=True)
class Unseeded(Sound):
    """Draws its training puzzles anew each time; they are still none of the held-out ones."""

    def generate(self, train: int, test: int, seed: int) -> Split:
        split = super().generate(200, test, seed)
        rows = np.random.default_rng().permutation(200)[:train]
        return replace(split, train=examples(split.train.inputs[rows]))


@dataclass(frozen=True, kw_only=True)
class Shared(Sound):
    def generate(self, train: int, test: int, seed: int) -> Split:
        split = super().generate(train, test, seed)
        return replace(split, train=split.test.joined(split.train).part(slice(train)))


@dataclass(frozen=True, kw_only=True)
class Dependent(Sound):
    """Takes its held-out puzzles from behind the training ones."""

    def generate(self, train: int, test: int, seed: int) -> Split:
        split = super().generate(test, train, seed)
        return replace(split, train=split.test, test=split.train)


@dataclass(frozen=True, kw_only=True)
class Illegible(Sound):
    def format(self, tokens: Tokens) -> str:
        return super().format(tokens[::-1])


@dataclass(frozen=True, kw_only=True)
class Unfair(Sound):
    def valid(self, inputs: Tokens, answers: Tokens) -> Any:
        return (inputs == answers).all(1)


@dataclass(frozen=True, kw_only=True)
class Lenient(Sound):
    def valid(self, inputs: Tokens, answers: Tokens) -> Any:
        return np.ones(len(inputs), bool)


@dataclass(frozen=True, kw_only=True)
class Gullible(Sound):
    def parse(self, text: str) -> Tokens:
        return np.array([2 if bit == "1" else 1 for bit in text], np.int32)


@dataclass(frozen=True, kw_only=True)
class Blank(Sound):
    def draw(self, puzzle: Tokens, answer: Tokens | None = None, before: Tokens | None = None) -> str:
        return ""


def asked(config: type[Task]) -> dict[str, Any]:
    entry = Entry("task", "turned", "A task of a test.", "a test", config)
    return {check.name: check for check in ask(tasks.RULES, [("turned", entry)])}


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        (Sound, set()),
        (OddBoard, {"spec"}),
        (SmallVocabulary, {"shape"}),
        (Unseeded, {"determinism"}),
        (Shared, {"held out"}),
        (Dependent, {"held out"}),
        (Illegible, {"text"}),
        (Unfair, {"rules"}),
        (Lenient, {"rules"}),
        (Gullible, {"mistakes"}),
        (Blank, {"drawing"}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_task_made_to_break_a_rule_breaks_it_alone(config: type[Task], rules: set[str]) -> None:
    assert {name for name, check in asked(config).items() if check.ok is False} == rules


@pytest.mark.parametrize("entry", list(TASKS), ids=lambda entry: entry.name)
def test_every_task_of_ours_keeps_the_rules(entry: Entry) -> None:
    assert {name for name, check in asked(entry.config).items() if check.ok is False} == set()


def test_a_task_without_its_files_is_not_judged() -> None:
    check = asked(TASKS.get("table").config)["held out"]
    assert check.ok is None and "no complete task" in check.why
