"""What is said about a machine and its speed."""

from dataclasses import dataclass, field
from typing import Any

from hrmlab.results.base import Result


@dataclass(frozen=True)
class Engine:
    """Something that computes, or an extra. why: what it is, or why it is not available and what to type."""

    name: str
    available: bool
    why: str


@dataclass(frozen=True)
class Environment(Result):
    """Versions, devices, engines and extras of this machine.

    device, why_device: what `--device auto` takes, and why nothing better.
    threads: of torch by itself, cores, usable cores, and chosen: what `--threads auto` takes at the moment.
    why_threads: what that choice was made from.
    """

    versions: dict[str, str | None]
    device: str
    why_device: str
    devices: list[dict[str, Any]]
    threads: dict[str, int]
    why_threads: str
    memory: dict[str, int]
    engines: list[Engine]
    extras: list[Engine]


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
