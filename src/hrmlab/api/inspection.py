"""`inspect`: how a model recurs, what it is made of, and what about it is probably not meant."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from hrmlab.api.puzzles import resolved
from hrmlab.api.rules import spelled_out
from hrmlab.api.targets import find_config
from hrmlab.blocks import PostNorm
from hrmlab.config import encode
from hrmlab.core.cost import Costs, costs, share_of_looks
from hrmlab.core.model import HRM
from hrmlab.core.schedule import Update
from hrmlab.embeddings import NoPositions
from hrmlab.halting import Fixed
from hrmlab.reports.files import write_texts
from hrmlab.reports.recurrence import schedule_figure
from hrmlab.results import Inspection
from hrmlab.training.config import RunConfig
from hrmlab.training.memory import memory
from hrmlab.training.overrides import override_run


def inspect(target: str | Path, overrides: Sequence[str] = (), *, picture: str | Path | None = None) -> Inspection:
    """The schedule, calls and parameters of a configuration; no weights are read or made.

    Args:
        target: a preset, a run, a shipped model or a configuration file.
        picture: an SVG file to draw the schedule into.

    Raises:
        ConfigError: no such target, or a schedule or parts that do not fit (every reason is named).
        MissingExtraError: a picture, and matplotlib is not installed.
        CheckpointError: the picture's file cannot be written.
    """
    config = override_run(find_config(target), spelled_out(overrides))
    if config.data.path is not None and Path(config.data.path).is_dir():
        config = resolved(config)
    with torch.device("meta"):
        model = HRM(config.model, config.task.spec())
    schedule, cost = model.schedule, costs(config.model, config.task.spec())
    calls, with_gradient = schedule.calls(), schedule.grad_calls()
    rows = [_row(update, cost) for update in schedule.updates]
    if picture is not None:
        write_texts(Path(picture).parent, {Path(picture).name: schedule_figure(config.name, rows, schedule.answer)})
    return Inspection(
        name=config.name,
        task=encode(config.task),
        schedule=rows,
        answer=schedule.answer,
        calls={name: {"forward": calls[name], "grad": with_gradient[name]} for name in schedule.networks},
        parameters=_parameters(model),
        flops=_flops(config, model, cost),
        memory=memory(config, model, cost),
        warnings=list(_warnings(config, model)),
        table=schedule.describe(),
        without_gradient=sum(row["flops"] for row in rows if not row["grad"]) / sum(row["flops"] for row in rows),
        picture=None if picture is None else str(picture),
    )


def _row(update: Update, cost: Costs) -> dict[str, Any]:
    calls = (cost.networks[update.network], cost.joints[update.site])
    return {
        "target": update.target,
        "sources": list(update.sources),
        "network": update.network,
        "grad": update.grad,
        "flops": sum(call.forward for call in calls),
        "activations": sum(call.saved for call in calls) if update.grad else 0,
    }


def _parameters(model: HRM) -> dict[str, int]:
    counts = {"total": model.parameter_count()}
    if frozen := sum(p.numel() for p in model.parameters() if not p.requires_grad):
        counts["frozen (not in the total)"] = frozen
    counts |= {f"network {name}": sum(p.numel() for p in net.parameters()) for name, net in model.networks.items()}
    if joints := sum(p.numel() for p in model.joints.parameters()):
        counts["injections and retentions"] = joints
    counts["embedding and answer"] = sum(p.numel() for p in model.embedding.parameters())
    if readers := sum(p.numel() for p in model.readers.parameters()):
        counts["other levels' answers"] = readers
    counts["halting head"] = sum(p.numel() for p in model.halting_head.parameters())
    if model.puzzles is not None:
        counts["puzzle table (sparse, not in the total)"] = model.puzzles.rows.numel()
    return counts


def _flops(config: RunConfig, model: HRM, cost: Costs) -> dict[str, int]:
    segment, schedule = cost.segment(model.schedule), model.schedule
    return {
        "segment": segment,
        "training_step": cost.step(schedule, config.halting, config.training.segments_per_step),
        "look_ahead": segment if share_of_looks(config.halting) else 0,
        **{f"network {name}": call.forward for name, call in cost.networks.items()},
    }


def _warnings(config: RunConfig, model: HRM) -> Iterator[str]:
    parts, halting, evaluation = config.model, config.halting, config.evaluation
    if evaluation.max_segments < halting.max_segments:
        yield (
            f"evaluation stops after {evaluation.max_segments} segments, training goes up to {halting.max_segments}; "
            f"set evaluation.max_segments={halting.max_segments} or more"
        )
    if isinstance(halting, Fixed) and not isinstance(evaluation, Fixed):
        yield f"evaluation halts by '{evaluation.kind}', but training with 'fixed' never trains the halting head"
    if isinstance(halting, Fixed):
        yield "training with 'fixed' leaves the halting head untrained: confidences mean nothing"
    if parts.halting_head.readout == "first" and not model.embedding.slots:
        yield "the halting head reads the first cell, as no puzzle slot is there; set model.halting_head.readout=mean"
    if isinstance(parts.block, PostNorm) and isinstance(parts.positions, NoPositions):
        yield "block 'post_norm' without positions cannot tell cells apart; set model.positions=rotary or learned"
    if parts.initial == "learned" and not _begins_with_gradient(model):
        rows = len(model.schedule.updates)
        yield (
            "the initial states are learned, but the first row of some level carries no gradient, so that they stay as "
            f"they are; set model.schedule.grad_window={rows}"
        )
    if config.training.batch_size > config.data.train and config.data.path is None:
        yield f"a batch of {config.training.batch_size} slots holds more puzzles than the {config.data.train} there are"


def _begins_with_gradient(model: HRM) -> bool:
    """Whether every level's first update of a segment carries gradient."""
    first = {update.target: update for update in reversed(model.schedule.updates)}
    return all(update.grad for update in first.values())
