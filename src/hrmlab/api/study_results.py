"""From a study's plan and folder to its result: arms, cells, table, curves and words."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from hrmlab.api.study_curves import curves_of
from hrmlab.api.targets import describe_weights
from hrmlab.config import decode, encode
from hrmlab.core.cost import costs
from hrmlab.core.model import HRM
from hrmlab.errors import DataError
from hrmlab.reading import read_json
from hrmlab.results import Evaluation, Study, StudyArm, StudyCell, StudyRow
from hrmlab.studies.designs import arms_of
from hrmlab.studies.outcome import Comparison, conclude
from hrmlab.studies.plan import Plan
from hrmlab.studies.statistics import paired_interval
from hrmlab.studies.store import Status, StudyFolder
from hrmlab.studies.words import paragraph
from hrmlab.training.config import RunConfig
from hrmlab.training.memory import memory


def result(plan: Plan, folder: StudyFolder, command: str, reused: int) -> Study:
    """What the cells came to.

    Args:
        command: what repeats the study.
        reused: cells that were done before.

    Raises:
        DataError: a score that is not finite.
    """
    statuses = {cell.id: folder.status(cell.id) for cell in plan.cells}
    outcome, study = conclude(plan, statuses), plan.study
    return Study(
        study=study.name,
        base=study.base,
        design=study.design,
        seeds=list(study.seeds),
        budget={name: value for name, value in encode(study.budget).items() if value is not None},
        reference=outcome.reference,
        arms=list(_arms(plan, folder, statuses)),
        cells=[_cell(cell.id, cell.arm, cell.seed, statuses[cell.id]) for cell in plan.cells],
        table=list(_rows(plan, statuses, outcome.comparisons)),
        curves=curves_of(plan, folder),
        conclusion=paragraph(plan, outcome),
        matched=outcome.matched,
        missing=outcome.missing,
        weights="; ".join(sorted({describe_weights(cell.config, None) for cell in plan.cells})),
        command=command,
        folder=str(folder.path),
        reused=reused,
    )


def _arms(plan: Plan, folder: StudyFolder, statuses: Mapping[str, Status]) -> Iterator[StudyArm]:
    overrides = arms_of(plan.study.design, plan.study.factors)
    for name, work in plan.arms.items():
        cells = [cell for cell in plan.cells if cell.arm == name]
        held = _memory(cells[0].config)
        speeds = [ms for cell in cells if (ms := _milliseconds(folder.cell(cell.id))) is not None]
        took = [seconds for cell in cells if (seconds := statuses[cell.id].seconds) is not None]
        yield StudyArm(
            name=name,
            overrides=list(overrides[name]),
            parameters=work.parameters,
            segment_flops=work.segment_flops,
            step_flops=work.step_flops,
            steps=work.steps,
            flops=work.flops,
            training_bytes=held["training"],
            inference_bytes=held["inference"],
            milliseconds=float(np.mean(speeds)) if speeds else None,
            seconds=float(np.mean(took)) if took else None,
        )


def _memory(config: RunConfig) -> dict[str, int]:
    spec = config.task.spec()
    with torch.device("meta"):
        model = HRM(config.model, spec)
    return memory(config, model, costs(config.model, spec))


def _milliseconds(cell: Path) -> float | None:
    """Of one puzzle in the run's own evaluation; None where the run is not over."""
    file = cell / "run" / "results.json"
    if not file.is_file():
        return None
    try:
        return 1000 / decode(Evaluation, read_json(file), str(file)).puzzles_per_second
    except (OSError, ValueError, ZeroDivisionError):
        raise DataError(f"{file} is damaged; delete {cell} to have its cell run again") from None


def _cell(id: str, arm: str, seed: int, status: Status) -> StudyCell:
    """The answers to single puzzles stay in the cell's own status.json."""
    shown = {
        name: {key: value for key, value in found.items() if key != "right"} for name, found in status.results.items()
    }
    return StudyCell(id, arm, seed, status.state, status.reason, status.attempts, status.seconds, shown)


def _rows(plan: Plan, statuses: Mapping[str, Status], comparisons: list[Comparison]) -> Iterator[StudyRow]:
    compared = {(one.arm, one.evaluation, one.measure): one for one in comparisons}
    for question in plan.study.questions:
        for evaluation in plan.cells[0].evaluations:
            for arm in plan.arms:
                done = [statuses[cell.id] for cell in plan.cells if cell.arm == arm]
                values = [
                    float(status.results[evaluation][question.measure]) for status in done if status.state == "done"
                ]
                mean = float(np.mean(values)) if values else None
                interval = paired_interval(values) if len(values) > 1 else None
                row = StudyRow(arm, evaluation, question.measure, len(values), mean, interval)
                yield _judged(row, compared.get((arm, evaluation, question.measure)))


def _judged(row: StudyRow, one: Comparison | None) -> StudyRow:
    if one is None or one.verdict is None:
        return row
    verdict = one.verdict
    return StudyRow(
        row.arm,
        row.evaluation,
        row.measure,
        row.seeds,
        row.mean,
        row.interval,
        pairs=verdict.pairs,
        effect=verdict.effect,
        effect_interval=verdict.interval,
        over_items=one.over_items,
        p=verdict.p,
        adjusted_p=one.adjusted_p,
        improvement=verdict.improvement,
        detectable=verdict.detectable,
        flops_ratio=one.flops_ratio,
        decision=verdict.decision,
        reason=verdict.reason,
    )
