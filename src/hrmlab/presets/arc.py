"""The published runs of HRM and TRM on ARC-AGI-1 and ARC-AGI-2, sizes and schedules of training as released.

They differ from those on Sudoku and mazes in weight decay, the puzzle table's rate and epochs. The published data sets
also hold ConceptARC, which no package brings: `source=arcagi+FOLDER` adds it. Steps are epochs * pairs / batch size.
"""

from dataclasses import replace

from hrmlab.blocks import PostNorm
from hrmlab.core.schedules import TRMSchedule
from hrmlab.embeddings import Rotary
from hrmlab.presets import reference
from hrmlab.tasks import Arc
from hrmlab.tasks.arc.source import TESTS, TRAINED
from hrmlab.training.config import RunConfig
from hrmlab.training.optimisers import AdamAtan2Config

EPOCHS = 100_000


def hrm_arc_1(name: str) -> RunConfig:
    return _hrm(name, "arcagi", "data/arc-1-aug-1000")


def hrm_arc_2(name: str) -> RunConfig:
    return _hrm(name, "arcagi2", "data/arc-2-aug-1000")


def trm_arc_1(name: str) -> RunConfig:
    return _trm(name, "arcagi", "data/arc-1-aug-1000")


def trm_arc_2(name: str) -> RunConfig:
    return _trm(name, "arcagi2", "data/arc-2-aug-1000")


def _hrm(name: str, source: str, path: str) -> RunConfig:
    task = Arc(source=source)
    return _arc(reference.hrm(name, task, path), source)


def _trm(name: str, source: str, path: str) -> RunConfig:
    schedule = TRMSchedule(high_cycles=3, low_cycles=4)
    return _arc(reference.trm(name, Arc(source=source), path, schedule, PostNorm(), Rotary()), source)


def _arc(config: RunConfig, source: str) -> RunConfig:
    training = replace(
        config.training,
        optimiser=AdamAtan2Config(lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1),
        steps=EPOCHS * TRAINED[source] // reference.BATCH,
        puzzle_lr=1e-2,
        puzzle_weight_decay=0.1,
        ema_buffers=False,  # as the reference; averaging a million rows would take longer than the step
    )
    return replace(config, training=training, data=replace(config.data, train=TRAINED[source], test=TESTS[source]))
