"""What a rule would have done to a recorded run: stops, accuracy, cost, and what was lost by stopping there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hrmlab.analysis.traces import Flags, Floats, Trace

Segments = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Point:
    """One rule at one cutoff, over n puzzles.

    accuracy: share answered rightly where the rule stopped them, or at the last segment.
    precision: of those that the rule stopped, the share that was right; None if it stopped none.
    recall: of those that are right at some segment, the share that the rule stopped while right; None if none is.
    premature: share stopped wrong that would have been right later.
    overrun: mean segments spent after the first right answer, over those stopped right.
    unsolvable: share of all segments that went into puzzles that are never right.
    difficulty: Spearman's correlation of segments with the puzzles' rating; None where either does not vary.
    """

    cutoff: float
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


def stops(readiness: Floats, cutoff: float) -> tuple[Segments, Flags]:
    """The segment, from 1, at which each puzzle stops, and whether the rule chose it; both (n,)."""
    over = readiness > cutoff
    chosen: Flags = np.asarray(over.any(axis=1))
    at: Segments = np.where(chosen, over.argmax(axis=1), readiness.shape[1] - 1) + 1
    return at, chosen


def point(trace: Trace, readiness: Floats, cutoff: float) -> Point:
    """Score a rule that stops where its readiness first exceeds the cutoff."""
    return score(trace, *stops(readiness, cutoff), cutoff)


def fixed(trace: Trace) -> list[Point]:
    """Everyone stopped after segment 1, 2, ..., T."""
    count, longest = trace.right.shape
    everyone = np.zeros(count, dtype=np.bool_)
    return [score(trace, np.full(count, depth), everyone, np.inf) for depth in range(1, longest + 1)]


def oracle(trace: Trace) -> Point:
    """Everyone stopped at the first right answer: no rule that only stops can do better. Reads the labels."""
    return point(trace, trace.right.astype(np.float64), 0.5)


def sweep(readiness: Floats, most: int = 64) -> list[float]:
    """Cutoffs that matter for this trace: between the values that occur, evenly over their ranks."""
    best = np.maximum.accumulate(readiness, axis=1)  # a slot stops where it first exceeds the cutoff
    values = np.unique(best[np.isfinite(best)])
    between = (values[:-1] + values[1:]) / 2
    if len(between) > most:
        between = between[np.linspace(0, len(between) - 1, most).round().astype(int)]
    return [float(value) for value in between]


def cheapest(points: Sequence[Point], accuracy: float) -> Point | None:
    """Of the points at least that accurate the one with the fewest segments; the more accurate of equals."""
    good = [p for p in points if p.accuracy >= accuracy]
    return min(good, key=lambda p: (p.mean_segments, -p.accuracy), default=None)


def overthinking(right: Flags) -> dict[str, Any]:
    """How often right answers do not last.

    Returns:
        lost: share of puzzles that are right at some segment and wrong at the last; relapses: mean number of times that
        a puzzle goes from right to wrong; never: share of puzzles that are never right; after: by k = 1, 2, 4, ..., of
        all answers that are right at a segment t, the share wrong at t + k (0 where none was right).
    """
    ever = right.any(axis=1)
    falls = (right[:, :-1] & ~right[:, 1:]).sum(axis=1)
    return {
        "lost": float((ever & ~right[:, -1]).mean()),
        "relapses": float(falls.mean()),
        "never": float((~ever).mean()),
        "after": {str(k): _wrong_after(right, k) for k in (2**power for power in range(12)) if k < right.shape[1]},
    }


def _wrong_after(right: Flags, k: int) -> float:
    before, later = right[:, :-k], right[:, k:]
    return float((before & ~later).sum() / max(before.sum(), 1))


def score(trace: Trace, at: Segments, chosen: Flags, cutoff: float) -> Point:
    """What came of stopping each puzzle after segment `at`, (n,), whether a rule chose to or not."""
    right = trace.right[np.arange(len(at)), at - 1]
    ever = trace.right.any(axis=1)
    first = trace.right.argmax(axis=1) + 1
    later = np.array([row[stop:].any() for row, stop in zip(trace.right, at, strict=True)])
    return Point(
        cutoff=cutoff,
        accuracy=float(right.mean()),
        mean_segments=float(at.mean()),
        p50_segments=float(np.percentile(at, 50)),
        p95_segments=float(np.percentile(at, 95)),
        max_segments=int(at.max()),
        precision=float(right[chosen].mean()) if chosen.any() else None,
        recall=float((right & chosen)[ever].mean()) if ever.any() else None,
        premature=float((~right & later).mean()),
        overrun=float((at - first)[right].mean()) if right.any() else 0.0,
        unsolvable=float(at[~ever].sum() / at.sum()),
        difficulty=spearman(at.astype(np.float64), trace.rating.astype(np.float64)),
    )


def spearman(a: Floats, b: Floats) -> float | None:
    """Rank correlation, ties at their mean rank; None where one of them does not vary."""
    first, second = _ranks(a), _ranks(b)
    if not first.std() or not second.std():
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Floats) -> Floats:
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    mean: Floats = ((ends - counts + ends - 1) / 2)[where]
    return mean
