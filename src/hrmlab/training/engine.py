"""The engine of a run: the one named, or the faster one on this machine."""

from collections.abc import Callable

from hrmlab.config import encode
from hrmlab.core.captured import Captured
from hrmlab.core.choosing import faster
from hrmlab.core.eager import Eager
from hrmlab.core.engines import build
from hrmlab.core.model import HRM
from hrmlab.tasks.sudoku.native import cache_dir
from hrmlab.training.config import RunConfig


def engine_of(config: RunConfig, model: HRM, trial: Callable[[Eager], None]) -> Eager:
    """The engine that a run names; for "auto" CUDA graphs on a GPU, elsewhere the faster of eager and compiled.

    Args:
        trial: one training step with an engine, leaving nothing changed.

    Raises:
        ConfigError: the engine cannot work here.
    """
    training, spec, halting = config.training, model.spec, config.halting
    if training.engine != "auto":
        return build(training.engine, model)
    if model.initial.is_cuda:
        return Captured(model)
    looks = sum(halting.looks_ahead(step) for step in range(100))
    about = {
        "model": encode(config.model),
        "data": [spec.seq_len, spec.vocab_size, training.batch_size],
        "step": [training.recompute, halting.kind, looks, config.loss.kind],
    }
    return faster(model, trial, ahead=training.seconds or 0.0, folder=cache_dir() / "engines", about=about)
