"""What training and solving give."""

from dataclasses import dataclass, field

from hrmlab.results.base import Result
from hrmlab.results.evaluation import Evaluation
from hrmlab.results.probes import Finding


@dataclass(frozen=True)
class Training(Result):
    """A training run that is over, or interrupted (then the accuracies are None and `resume` says how to go on).

    seconds: of training, without evaluations and checkpoints.
    lost: what a watched run was ended for; such a run is saved, and not evaluated.
    """

    run: str
    steps: int
    seconds: float
    exact: float | None
    cell: float | None
    mean_segments: float | None
    interrupted: bool
    resume: str | None
    evaluation: Evaluation | None
    lost: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Solution:
    """The answer to one puzzle.

    solved: the answer solves the puzzle by the task's rules; None for a well-formed answer to a task whose rules are
        written nowhere (a table, ARC).
    confidence: the halting head's probability that the answer is right.
    reason: "halted" by the policy's own choice, or stopped at the "limit" of segments.
    error: why a bad line of a jobs file was not tried; the fields above are then None.
    """

    input: str
    output: str | None = None
    solved: bool | None = None
    segments: int | None = None
    confidence: float | None = None
    reason: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Solving(Result):
    """The answers to several puzzles, in their order.

    results: all of them, but the first 1,000 only where all were written to `out`.
    count, solved, errors: of all: lines, answers known to obey the task's rules, lines that are no fair puzzle.
    """

    results: list[Solution]
    puzzles_per_second: float
    out: str | None = None
    count: int = 0
    solved: int = 0
    errors: int = 0


@dataclass(frozen=True)
class Serving(Result):
    """What a server did until it was told to end. puzzles: how many, by what became of them."""

    url: str
    seconds: float
    puzzles: dict[str, int]


@dataclass(frozen=True)
class Demonstration(Result):
    """The main job, done once. report: path of the file with the evaluation."""

    run: str
    exact: float | None
    seconds: float
    report: str | None
    interrupted: bool = False
    resume: str | None = None
    solved: list[Solution] = field(default_factory=list)
