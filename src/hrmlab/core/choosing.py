"""The faster of the eager and the compiled engine, measured on this machine once and remembered."""

import hashlib
import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from hrmlab.config import decode
from hrmlab.core.compiling import Compiled, has_compiler
from hrmlab.core.eager import Eager
from hrmlab.core.engines import ENGINES
from hrmlab.core.model import HRM
from hrmlab.core.weights import write_atomically
from hrmlab.errors import CheckpointError
from hrmlab.reading import read_json

COMPILING_PAYS = 180.0
"""Seconds of work from which the half minute of compiling comes back."""
ROUNDS = 3
MARGIN = 0.95
"""Compiled is taken below this share of the eager time: less is not worth its start."""


@dataclass(frozen=True)
class Choice:
    """What was measured: seconds of a trial by engine, the least of a few, and of compiling."""

    engine: str
    step: dict[str, float]
    compiling: float


def faster(model: HRM, trial: Callable[[Eager], None], *, ahead: float, folder: Path, about: dict[str, Any]) -> Eager:
    """The engine for the work ahead: eager, unless compiling pays and compiled is the faster.

    Args:
        trial: what the work consists of, done once by an engine, leaving nothing changed.
        ahead: seconds that the work will take by the eager engine.
        folder: where choices are remembered.
        about: what the answer depends on beside the machine and the versions, as JSON.
    """
    if ahead < COMPILING_PAYS or not has_compiler(model):
        return Eager(model)
    place = folder / f"{_key(about, model)}.json"
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


def _key(about: dict[str, Any], model: HRM) -> str:
    everything = about | {
        "machine": [platform.machine(), _processor(), str(model.initial.device), torch.get_num_threads()],
        "versions": [version("torch"), version("hrm-lab"), platform.python_version()],
    }
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:24]


def _processor() -> str:
    """The processor's model, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "") or (
        platform.processor()
    )


def _recalled(place: Path) -> Choice | None:
    try:
        found = decode(Choice, read_json(place))
    except (OSError, ValueError):
        return None
    return found if found.engine in ENGINES else None


def _remember(place: Path, choice: Choice) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, json.dumps(asdict(choice), indent=1).encode())
    except (OSError, CheckpointError):
        return  # a cache that cannot be written costs time, nothing else
