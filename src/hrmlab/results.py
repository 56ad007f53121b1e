"""What the verbs answer, as plain data: no torch, no numpy, ready for JSON.

The field names are the keys that `--json` prints; a test pins them.
"""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Result:
    """Base of all answers."""

    def plain(self) -> dict[str, Any]:
        """Dictionaries, lists, numbers and strings, under the names of the fields."""
        return asdict(self)


@dataclass(frozen=True)
class Protocol:
    """What an accuracy depends on beside the weights' configuration; no accuracy is given without it.

    data: where the puzzles come from and how training and held-out ones are kept apart.
    seed: of the puzzles' generation, None where they were read from files.
    halting: the policy, as its configuration.
    segments: the most that any puzzle could take.
    weights: which weights ("averaged" or "last") and their step, where known.
    """

    task: dict[str, Any]
    data: str
    split: str
    seed: int | None
    halting: dict[str, Any]
    segments: int
    weights: str
    device: str
    dtype: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Scores(Result):
    """Accuracy over n puzzles.

    exact: share of puzzles with every scored cell right; exact_interval: its 95% Wilson interval.
    cell: share of scored cells that are right.
    valid: share of answers that solve their puzzle by the task's rules.
    mean_segments, p95_segments: segments until the halt.
    by_segment: `exact` had every puzzle stopped after segment 1, 2, ... at the latest.
    """

    n: int
    exact: float
    exact_interval: tuple[float, float]
    cell: float
    valid: float
    valid_interval: tuple[float, float]
    mean_segments: float
    p95_segments: float
    by_segment: list[float]
    seconds: float
    puzzles_per_second: float


@dataclass(frozen=True)
class Tries:
    """Several attempts at each puzzle, one answer chosen without labels; segments are those of all attempts together.

    attempts: by each of the `models`. vary: what made them differ. select: how one was chosen.
    oracle_any_right: share of puzzles that some attempt answered rightly. Reads the labels: a bound on what choosing
        better could give, not an accuracy.
    """

    attempts: int
    models: int
    vary: str
    select: str
    oracle_any_right: float


@dataclass(frozen=True)
class Evaluation(Scores):
    """Accuracy on held-out puzzles, with what it depends on.

    passes: where puzzles are answered by vote over their variants (ARC), by k ("1", "2", ...): the share of puzzles
        whose answer is among the k candidates with most votes; a puzzle with several tests counts by their share. `n`,
        `exact` and the others are over all variants. None for other tasks.
    voted_puzzles: over how many puzzles.
    tries: where there were several attempts at each puzzle; `by_segment` is then empty.
    """

    protocol: Protocol
    passes: dict[str, float] | None = None
    voted_puzzles: int | None = None
    tries: Tries | None = None


@dataclass(frozen=True)
class Training(Result):
    """A training run that is over, or interrupted (then the accuracies are None and `resume` says how to go on).

    seconds: of training, without evaluations and checkpoints.
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


@dataclass(frozen=True)
class Solution:
    """The answer to one puzzle.

    solved: the answer solves the puzzle by the task's rules.
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
    count, solved, errors: of all: lines, answers that obey the task's rules, lines that are no fair puzzle.
    """

    results: list[Solution]
    puzzles_per_second: float
    out: str | None = None
    count: int = 0
    solved: int = 0
    errors: int = 0


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


@dataclass(frozen=True)
class Engine:
    """Something that computes. why: what it is, or why it is not available."""

    name: str
    available: bool
    why: str


@dataclass(frozen=True)
class Environment(Result):
    """Versions, devices and engines of this machine."""

    versions: dict[str, str | None]
    devices: list[dict[str, Any]]
    threads: dict[str, int]
    memory: dict[str, int]
    engines: list[Engine]


@dataclass(frozen=True)
class EngineTiming:
    """One engine doing one thing.

    mode: "train", a training step as configured, optimiser included; "train, one forward", the same with the target of
        Q(continue) taken from the trajectory; "infer", answering puzzles, or a segment of them without trained weights.
    step_ms: of a training step, of a segment, or of all puzzles: median, mad (median distance from it), and busy, the
        median of processor time over all threads.
    tokens_per_s: positions (puzzle slots and symbols included) of all slots and segments.
    flops_share: operations that the schedule demands, a second, as a share of the measured peak of matrix products.
    peak_mb: most memory resident in a process of its own that does nothing else, interpreter and libraries included;
        None where it was not measured.
    compile_s: first two calls. graph_breaks: 0 by force (`fullgraph`), None for an engine that compiles nothing.
    exact, mean_segments: in inference with trained weights.
    """

    name: str
    mode: str
    step_ms: dict[str, float]
    tokens_per_s: float
    flops_share: float
    peak_mb: float | None
    compile_s: float | None
    graph_breaks: int | None
    exact: float | None = None
    mean_segments: float | None = None


@dataclass(frozen=True)
class Bench(Result):
    """Engines measured beside each other, interleaved.

    ratio_to_reference: by mode ("train", "train_one_forward", "infer"), the reference engine's median time over that of
        the fastest other; None where it was not measured, or where the machine was too restless to claim anything.
    noisy, why: whether it was, and every reason.
    machine: peak (FLOP/s of the best matrix product), bandwidth (bytes/s), threads, flops by size of product.
    roofline: matrix products of one segment: shape, calls, intensity (operations a byte), flops (attained a second).
    regressions: against an earlier file, engines whose share of the peak fell by more than a tenth.
    explanation: lines for people, with --explain.
    protocol: device, dtype, versions, batch size, length, overrides, seconds spent on each comparison.
    """

    name: str
    engines: list[EngineTiming]
    ratio_to_reference: dict[str, float | None]
    noisy: bool
    why: list[str]
    machine: dict[str, Any]
    roofline: list[dict[str, Any]]
    regressions: list[dict[str, Any]]
    explanation: list[str]
    protocol: dict[str, Any]
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Item:
    """One line of the catalogue. source: where the idea was published, or "hrm-lab"."""

    kind: str
    name: str
    summary: str
    source: str


@dataclass(frozen=True)
class Catalogue(Result):
    """What there is to choose from."""

    items: list[Item]


@dataclass(frozen=True)
class DataSet(Result):
    """A data set that was written."""

    path: str
    train: int
    test: int
    seconds: float
    protocol: str


@dataclass(frozen=True)
class DataCheck(Result):
    """Every problem found in a data set."""

    path: str
    ok: bool
    problems: list[str]


@dataclass(frozen=True)
class DataView(Result):
    """Puzzles of a data set with their answers, as text and as drawings with rich markup."""

    path: str
    protocol: str
    split: str
    n: int
    puzzles: list[dict[str, Any]]


@dataclass(frozen=True)
class HaltingRule:
    """One halting rule on recorded weights, its threshold picked on the validation puzzles, its numbers on the others.

    rule: the configuration that the numbers belong to; threshold: its dial, None for a rule without one.
    accuracy, mean_segments, p50_segments, p95_segments, max_segments: of the puzzles where the rule stops them.
    precision: of those that the rule stopped, the share right. recall: of those right at some segment, the share
        stopped while right.
    premature: share stopped wrong that would have been right later. overrun: mean segments spent after the first right
        answer. unsolvable: share of the segments that went into puzzles that are never right.
    difficulty: Spearman's correlation of segments with the puzzles' rating.
    curve: threshold, accuracy, mean_segments, p95_segments, precision, recall over the sweep.
    """

    name: str
    rule: dict[str, Any]
    threshold: float | None
    accuracy: float
    mean_segments: float
    p50_segments: float
    p95_segments: float
    max_segments: int
    precision: float | None
    recall: float | None
    premature: float
    overrun: float
    unsolvable: float
    difficulty: float | None
    curve: list[dict[str, Any]]


@dataclass(frozen=True)
class HaltingReport(Result):
    """Halting rules compared on one set of weights, without retraining.

    segments: the depth that everything was recorded to, and every rule's limit.
    validation, test: puzzles on which thresholds were picked, and on which the numbers stand.
    wanted: accuracy that a threshold had to keep on the validation puzzles.
    fixed: everyone stopped after segment 1, 2, ...: segments, accuracy. oracle: everyone stopped at the first right
        answer, which reads the labels.
    calibration: of a probability of being right (`of`: the halting head's, or the least sure cell's where the head was
        not taught that): ece, ece_mass, brier, auroc, reliability; by_segment for segments 1, 2, 4, ...
    overthinking: lost, relapses, never, after.
    best: the rule with the fewest segments among those that keep the accuracy, both on the validation puzzles.
    """

    run: str
    segments: int
    validation: int
    test: int
    wanted: float
    rules: list[HaltingRule]
    fixed: list[dict[str, float]]
    oracle: dict[str, Any]
    calibration: dict[str, Any]
    overthinking: dict[str, Any]
    best: str | None
    files: list[str]
    protocol: Protocol


@dataclass(frozen=True)
class HaltingChoice(Result):
    """The rule that a run's configuration now names for evaluation and solving, and what it replaced."""

    run: str
    rule: dict[str, Any]
    before: dict[str, Any]
    accuracy: float
    mean_segments: float
    full_accuracy: float
    segments: int


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


@dataclass(frozen=True)
class Inspection(Result):
    """What a model is made of and how it recurs.

    schedule: the rows of one segment: target, sources, network, grad.
    calls: by network, calls in one segment and how many of them carry gradient.
    parameters: trained numbers: total, by network, and of the other parts; the sparse puzzle table apart.
    flops: operations of matrix products for one puzzle: an inference `segment`, a `training_step` on average (with the
        looks ahead that the halting policy asks for, `look_ahead` each), and a call of each network.
    memory: bytes in float32: of the weights and what trains them; for one puzzle, `state` (all levels) and
        `activations` kept for the backward pass; `training` and `inference` are the least for a whole batch, passing
        buffers not counted.
    warnings: what is coherent but probably not meant.
    """

    name: str
    task: dict[str, Any]
    schedule: list[dict[str, Any]]
    answer: str
    calls: dict[str, dict[str, int]]
    parameters: dict[str, int]
    flops: dict[str, int]
    memory: dict[str, int]
    warnings: list[str]
    table: str
