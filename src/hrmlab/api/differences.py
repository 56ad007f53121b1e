"""`compare`: two models beside each other, before any weight is moved or any run is paid for."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hrmlab.api.inspection import inspect
from hrmlab.api.puzzles import resolved
from hrmlab.api.targets import find_config
from hrmlab.config import encode
from hrmlab.core.model import HRM
from hrmlab.core.schedule import Schedule
from hrmlab.results import Comparison, Inspection
from hrmlab.training.config import RunConfig


def compare(a: str | Path, b: str | Path) -> Comparison:
    """What differs between two models. No weights are read: names and shapes follow from the configurations.

    Args:
        a, b: presets, runs, shipped models or configuration files.

    Raises:
        ConfigError: there is no such target, or its parts do not fit.
    """
    one, two = configuration(a), configuration(b)
    models = skeleton(one), skeleton(two)
    return Comparison(
        a=str(a),
        b=str(b),
        config=list(settings(encode(one), encode(two))),
        schedule=list(_schedules(models[0].schedule, models[1].schedule)),
        weights=fitting(models[0].state_dict(), models[1].state_dict()),
        cost=_costs(inspect(a), inspect(b)),
    )


def configuration(target: str | Path) -> RunConfig:
    """The configuration of a target, with the task of its data set where that is here."""
    config = find_config(target)
    return resolved(config) if config.data.path is not None and Path(config.data.path).is_dir() else config


def skeleton(config: RunConfig) -> HRM:
    """The model without numbers."""
    with torch.device("meta"):
        return HRM(config.model, config.task.spec())


def fitting(source: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> dict[str, list[Any]]:
    """Which tensors of one model another can take: same name, same shape. See `hrmlab.results.Comparison`."""
    common = [name for name in target if name in source]
    same = [name for name in common if target[name].shape == source[name].shape]
    reshaped = [
        {"name": name, "a": list(source[name].shape), "b": list(target[name].shape)}
        for name in common
        if name not in same
    ]
    return {
        "kept": same,
        "missing": [name for name in target if name not in source],
        "reshaped": reshaped,
        "dropped": [name for name in source if name not in target],
    }


def settings(one: Any, two: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Every setting that differs, by its dotted path; a part of another kind is one difference, not one a key."""
    both = isinstance(one, dict) and isinstance(two, dict)
    if both and one.get("kind") == two.get("kind"):
        for key in dict.fromkeys((*one, *two)):
            yield from settings(one.get(key), two.get(key), f"{path}.{key}" if path else key)
    elif one != two:
        words = f"{path}: {_short(one)} in A, {_short(two)} in B"
        yield {"key": path, "a": one, "b": two, "words": words}


def _short(value: Any) -> str:
    if isinstance(value, dict) and "kind" in value:
        return f"'{value['kind']}'"
    return "none" if value is None else str(value)


def _schedules(one: Schedule, two: Schedule) -> Iterator[str]:
    if one == two:
        return
    facts: dict[str, Callable[[Schedule], object]] = {
        "levels": lambda s: ", ".join(s.levels),
        "networks": lambda s: ", ".join(s.networks),
        "updates in a segment": lambda s: len(s.updates),
        "updates with gradient": lambda s: sum(s.grad_calls().values()),
        "level that is answered from": lambda s: s.answer,
    }
    found = {name: (fact(one), fact(two)) for name, fact in facts.items()}
    differing = [f"{name}: {a} in A, {b} in B" for name, (a, b) in found.items() if a != b]
    yield from differing or ["the same levels, networks and numbers of updates, in another order or with other sources"]


def _costs(one: Inspection, two: Inspection) -> dict[str, dict[str, float | None]]:
    def of(inspection: Inspection) -> dict[str, int]:
        flops, memory = inspection.flops, inspection.memory
        return {
            "parameters": inspection.parameters["total"],
            "operations_segment": flops["segment"],
            "operations_training_step": flops["training_step"],
            "memory_state": memory["state"],
            "memory_activations": memory["activations"],
            "memory_training": memory["training"],
            "memory_inference": memory["inference"],
        }

    a, b = of(one), of(two)
    return {name: {"a": a[name], "b": b[name], "ratio": b[name] / a[name] if a[name] else None} for name in a}
