"""The engine of a run: the one named, or the faster one on this machine."""

from collections.abc import Callable

from hrmlab.config import encode
from hrmlab.core.captured import Captured
from hrmlab.core.choosing import faster
from hrmlab.core.compiling import Compiled
from hrmlab.core.eager import Eager
from hrmlab.core.engines import build
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.tasks.sudoku.native import cache_dir
from hrmlab.training.config import RunConfig


def engine_of(config: RunConfig, model: HRM, trial: Callable[[Eager], None], *, several: bool = False) -> Eager:
    """The engine that a run names; for "auto" CUDA graphs on a GPU, elsewhere the faster of eager and compiled.

    Args:
        trial: one training step with an engine, leaving nothing changed.
        several: processes train together, and must compute alike: "auto" measures nothing, and a recording would hold
            the first step's way of summing gradients.

    Raises:
        ConfigError: the engine cannot work here.
    """
    training, spec, halting = config.training, model.spec, config.halting
    if several and training.engine == "captured":
        raise ConfigError("training.engine=captured came for several processes; wanted eager, compiled or auto")
    if training.engine != "auto":
        if training.engine not in (able := _able(model, training.segments_per_step)):
            raise ConfigError(
                f"training.engine={training.engine} keeps no graph for this gradient (model.schedule.neumann="
                f"{model.schedule.neumann}, training.segments_per_step={training.segments_per_step}, model.answers="
                f"{model.config.answers}); wanted one of {', '.join(able)}"
            )
        return build(training.engine, model)
    if model.schedule.neumann:
        return Eager(model)
    if several:
        whole = model.initial.is_cuda and not training.shard_weights
        return Compiled(model, forgiving=True) if whole else Eager(model)
    if model.initial.is_cuda:
        able = _able(model, training.segments_per_step)
        return Captured(model) if "captured" in able else Compiled(model, forgiving=True)
    looks = sum(halting.looks_ahead(step) for step in range(100))
    about = {
        "model": encode(config.model),
        "data": [spec.seq_len, spec.vocab_size, training.batch_size],
        "step": [training.recompute, halting.kind, looks, config.loss.kind],
    }
    return faster(model, trial, ahead=training.seconds or 0.0, folder=cache_dir() / "engines", about=about)


def _able(model: HRM, window: int) -> tuple[str, ...]:
    """Engines that can give the gradient: a recording holds one segment's activations, and a compiled segment cannot
    be walked twice in its backward pass."""
    if model.schedule.neumann:
        return "eager", "reference"
    return ("eager", "reference", "compiled", "captured")[: 3 if window > 1 or model.readers else 4]
