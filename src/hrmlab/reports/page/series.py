"""Curves for the page, as data: how training went, and what the halting head says of right and wrong answers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

POINTS = 300
"""Points of a curve."""

Number = int | float


def training_data(metrics: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Curves of metrics.jsonl: for each measure `name`, `training` and `evaluation`, as [step, value] pairs.

    Evaluations lie one level deeper in the file; what has the same name stands in the same curve. Long curves are
    thinned evenly, their last point kept.
    """
    found: dict[str, dict[str, list[list[Number]]]] = {}
    for line in metrics:
        if "diverged" in line:
            continue
        evaluation = line.get("evaluation")
        for part, values in (("training", line), ("evaluation", evaluation if isinstance(evaluation, dict) else {})):
            for name, value in values.items():
                if name in ("step", "seconds") or isinstance(value, bool) or not _finite(value):
                    continue
                curves = found.setdefault(name, {"training": [], "evaluation": []})
                curves[part].append([line["step"], float(f"{value:.5g}")])
    return [{"name": name} | {part: _thin(curve) for part, curve in parts.items()} for name, parts in found.items()]


def divergences(metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    """What `training.guard` found and did, in words, oldest first."""
    said = []
    for line in metrics:
        if "diverged" not in line or not {"action", "at"} <= line.keys():
            continue
        if _finite(line.get("rate")):
            done = f"The run went back to step {line['step']}, at {line['rate']:.3g} of its rates."
        else:
            done = "The step was left out." if line["action"] == "skip" else "The run was ended."
        said.append(f"Step {line['at']}: {line['diverged']}. {done}")
    return said


def _finite(value: Any) -> bool:
    return isinstance(value, Number) and math.isfinite(value)


def _thin(curve: list[list[Number]]) -> list[list[Number]]:
    if len(curve) <= POINTS:
        return curve
    return [curve[at] for at in np.linspace(0, len(curve) - 1, POINTS).round().astype(int)]


def probability(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The sigmoid of the halting head's first value: (n, T, 2) -> (n, T)."""
    halved: npt.NDArray[np.float64] = np.tanh(values[:, :, 0].astype(np.float64) / 2)
    return (1 + halved) / 2


def halting_data(values: npt.NDArray[Any], right: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """By segment, over all puzzles: the share that is right, and the halting head's probability.

    Args:
        values: its logits, (n, T, 2). right: (n, T).

    Returns:
        n; exact: share right after each segment; right, wrong: quartiles of the probability after each segment, [low,
        median, high], over the answers that are right, or wrong, at that segment; None where there are none.
    """
    halt = probability(values)
    return {
        "n": len(right),
        "exact": [round(float(share), 4) for share in right.mean(0)],
        "right": [_quartiles(halt[right[:, at], at]) for at in range(right.shape[1])],
        "wrong": [_quartiles(halt[~right[:, at], at]) for at in range(right.shape[1])],
    }


def _quartiles(values: npt.NDArray[np.float64]) -> list[float] | None:
    if not np.isfinite(values).any():
        return None
    return [round(float(value), 4) for value in np.nanpercentile(values, (25, 50, 75))]
