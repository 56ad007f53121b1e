"""The numbers of a study as Markdown and CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from hrmlab.results import Study, StudyArm, StudyRow

HEAD = (
    "arm", "seeds", "mean", "95% interval", "gain", "95% interval", "adjusted p", "P(better)", "operations", "verdict",
)  # fmt: skip
ROW = (
    "arm", "evaluation", "measure", "seeds", "mean", "low", "high", "pairs", "effect", "effect_low", "effect_high",
    "items_low", "items_high", "p", "adjusted_p", "improvement", "detectable", "flops_ratio", "decision", "reason",
)  # fmt: skip
ARM = (
    "name", "parameters", "segment_flops", "step_flops", "steps", "flops", "training_bytes", "inference_bytes",
    "milliseconds", "seconds",
)  # fmt: skip
MARK = {"accept": "better", "reject": "not better", "inconclusive": "open", None: ""}


def markdown(study: Study, figures: Sequence[str] = ()) -> str:
    """The whole report as one Markdown document.

    Args:
        figures: files beside it.
    """
    parts = [f"# {study.study}", study.conclusion]
    parts += [f"![{name.removesuffix('.svg')}]({name})" for name in figures]
    for evaluation, measure in sections(study):
        parts.append(f"## {measure}, evaluation '{evaluation}'")
        rows = [cells(row) for row in study.table if (row.evaluation, row.measure) == (evaluation, measure)]
        parts.append(_table(HEAD, rows))
    if matrix := across(study):
        parts += [f"## {study.table[0].measure} by evaluation, mean over seeds", _table(*matrix)]
    parts += ["## Arms", _table(("arm", "overrides", *ARM[1:]), [arm_cells(arm) for arm in study.arms])]
    if study.missing:
        parts += ["## Missing runs", _table(("run", "why"), [list(pair) for pair in study.missing.items()])]
    parts += ["## How this was measured", *about(study)]
    return "\n\n".join(parts) + "\n"


def sections(study: Study) -> list[tuple[str, str]]:
    """Evaluations and measures in the order of the table."""
    return list(dict.fromkeys((row.evaluation, row.measure) for row in study.table))


def cells(row: StudyRow) -> list[str]:
    """A row of the table under `HEAD`, for people."""
    p = "" if row.adjusted_p is None else f"{row.adjusted_p:.2g}"
    chance = "" if row.improvement is None else f"{row.improvement:.0%}"
    work = "" if row.flops_ratio is None else f"{row.flops_ratio:.2f}x"
    mark = f"{MARK[row.decision]}: {row.reason}" if row.decision else "reference" if row.effect is None else ""
    gain = [_number(row.effect, "+"), _ends(row.effect_interval, "+")]
    return [row.arm, str(row.seeds), _number(row.mean), _ends(row.interval), *gain, p, chance, work, mark]


def across(study: Study) -> tuple[list[str], list[list[str]]] | None:
    """Arms by evaluations, means of the first measure: the train x evaluate matrix. None where there is one column."""
    measure = study.table[0].measure
    rows = [row for row in study.table if row.measure == measure]
    columns = list(dict.fromkeys(row.evaluation for row in rows))
    if len(columns) < 2:
        return None
    means = {(row.arm, row.evaluation): _number(row.mean) for row in rows}
    return ["arm", *columns], [[arm.name, *(means[arm.name, column] for column in columns)] for arm in study.arms]


def about(study: Study) -> list[str]:
    """What the numbers depend on, a sentence or two each."""
    (limit, amount), *_ = study.budget.items()
    seeds = ", ".join(map(str, study.seeds))
    return [
        f"Base {study.base}, design {study.design}, seeds {seeds}; every run has {amount:g} {limit}.",
        f"Measured: {study.weights}, at the end of the budget. No checkpoint was chosen on the held-out puzzles.",
        f"Matched within 1%: {', '.join(study.matched) or 'nothing'}.",
        "Gains are paired by seed and positive where better; intervals are 95% bootstraps over seeds, p is an exact "
        "sign-flip test, adjusted by Holm's method: over the arms for what decides (the first measure, under the runs' "
        "own evaluation), and over all other comparisons together.",
        f"To repeat it: `{study.command}`",
    ]


def arm_cells(arm: StudyArm) -> list[str]:
    """An arm, for people."""
    numbers = [_number(getattr(arm, name), ",") for name in ARM[1:]]
    return [arm.name, " ".join(arm.overrides), *numbers]


def table_csv(study: Study) -> str:
    """Every row of the table with all its numbers."""
    none = (None, None)
    rows = [
        [
            row.arm, row.evaluation, row.measure, row.seeds, row.mean, *(row.interval or none), row.pairs, row.effect,
            *(row.effect_interval or none), *(row.over_items or none), row.p, row.adjusted_p, row.improvement,
            row.detectable, row.flops_ratio, row.decision, row.reason,
        ]
        for row in study.table
    ]  # fmt: skip
    return _csv(ROW, rows)


def arms_csv(study: Study) -> str:
    """What each arm takes: the data of the Pareto figure, with `table.csv`."""
    return _csv(ARM, [[getattr(arm, name) for name in ARM] for arm in study.arms])


def curves_csv(study: Study) -> str:
    """The learning curves: mean, least and most over seeds at each step."""
    points = (
        [curve.arm, curve.measure, *values]
        for curve in study.curves
        for values in zip(curve.steps, curve.mean, curve.low, curve.high, strict=True)
    )
    return _csv(("arm", "measure", "step", "mean", "low", "high"), points)


def _number(value: float | None, sign: str = "") -> str:
    if value is None:
        return ""
    return f"{value:{sign}}" if isinstance(value, int) else f"{value:{sign}.4g}"


def _ends(ends: tuple[float, float] | None, sign: str = "") -> str:
    return "" if ends is None else f"{_number(ends[0], sign)} to {_number(ends[1], sign)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows])
    return stream.getvalue()
