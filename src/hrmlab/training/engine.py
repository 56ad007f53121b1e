"""The engine of a run: the one named, or the faster one on this machine, measured once and remembered."""

import hashlib
import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from hrmlab.config import encode
from hrmlab.core.compiling import Compiled, has_compiler
from hrmlab.core.eager import Eager
from hrmlab.core.engines import ENGINES, build
from hrmlab.core.model import HRM
from hrmlab.core.weights import write_atomically
from hrmlab.errors import CheckpointError
from hrmlab.tasks.sudoku.native import cache_dir
from hrmlab.training.config import RunConfig

COMPILING_PAYS = 180.0
"""Seconds of training from which the half minute of compiling comes back."""
ROUNDS = 3
MARGIN = 0.95
"""Compiled is taken below this share of the eager time: less is not worth its start."""


@dataclass(frozen=True)
class Choice:
    """What was measured: seconds of a training step by engine, the least of a few, and of compiling."""

    engine: str
    step: dict[str, float]
    compiling: float


def engine_of(config: RunConfig, model: HRM, trial: Callable[[Eager], None]) -> Eager:
    """The engine that a run names; for "auto", the faster of eager and compiled.

    Args:
        trial: one training step with an engine, leaving nothing changed.

    Raises:
        ConfigError: the engine cannot work here.
    """
    training = config.training
    if training.engine != "auto":
        return build(training.engine, model)
    if (training.seconds or 0.0) < COMPILING_PAYS or not has_compiler(model):
        return Eager(model)
    place = cache_dir() / "engines" / f"{_key(config, model)}.json"
    if (known := _recalled(place)) is not None:
        return Compiled(model, forgiving=True) if known.engine == Compiled.name else Eager(model)
    candidates = [Eager(model), Compiled(model, forgiving=True)]
    chosen = _measured(candidates, trial)
    _remember(place, chosen)
    return next(engine for engine in candidates if engine.name == chosen.engine)


def _measured(engines: list[Eager], trial: Callable[[Eager], None]) -> Choice:
    start = time.perf_counter()
    for engine in engines:
        trial(engine)
        trial(engine)  # layouts of gradients settle at the second call
    compiling = time.perf_counter() - start
    least = {engine.name: float("inf") for engine in engines}
    for _ in range(ROUNDS):
        for engine in engines:
            start = time.perf_counter()
            trial(engine)
            least[engine.name] = min(least[engine.name], time.perf_counter() - start)
    eager, other = least[Eager.name], least[Compiled.name]
    return Choice(Compiled.name if other < MARGIN * eager else Eager.name, least, compiling)


def _key(config: RunConfig, model: HRM) -> str:
    """Everything that the answer depends on: the step's shape, the machine, the versions."""
    spec, halting = model.spec, config.halting
    looks = sum(halting.looks_ahead(step) for step in range(100))
    about = {
        "model": encode(config.model),
        "data": [spec.seq_len, spec.vocab_size, config.training.batch_size],
        "step": [config.training.recompute, halting.kind, looks, config.loss.kind],
        "machine": [platform.machine(), _processor(), str(model.initial.device), torch.get_num_threads()],
        "versions": [version("torch"), version("hrm-lab"), platform.python_version()],
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:24]


def _processor() -> str:
    """The processor's model, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "") or (
        platform.processor()
    )


def _recalled(place: Path) -> Choice | None:
    try:
        found = Choice(**json.loads(place.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.engine in ENGINES else None


def _remember(place: Path, choice: Choice) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, json.dumps(asdict(choice), indent=1).encode())
    except (OSError, CheckpointError):
        return  # a cache that cannot be written costs time, nothing else
