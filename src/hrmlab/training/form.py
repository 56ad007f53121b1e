"""Whether what a checkpoint says has the form of what this run would write: names, shapes, kinds of numbers, ranges.

A checksum tells that a file is what was written; only this tells that a run can go on from it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from hrmlab.losses import IGNORE
from hrmlab.training.loop import Trainer

LATER = ("row_optimiser", "guard", "rate")
"""What there is in checkpoints since a later version."""


def faults(trainer: Trainer, state: Any) -> Iterator[str]:
    """Everything about a state that this run cannot go on from, in words; its weights are compared when filled in."""
    feeder, slots = trainer.feeder, trainer.config.training.batch_size
    wanted: dict[str, Any] = {
        "model": {},
        "ema": None if trainer.ema is None else {},
        "optimisers": [{"state": {}} for _ in trainer.optimisers],
        "row_optimiser": None if trainer.row_optimiser is None else {},
        "carry": _of_all(asdict(trainer.carry), slots),
        "feeder": feeder.state() | {"order": torch.from_numpy(feeder.order)},
        "generator": trainer.generator.get_state(),
        "torch_rng": torch.get_rng_state(),
        "step": 0,
        "seconds": 0.0,
        "guard": trainer.guard.state(),
        "rate": 0.0,
    }
    if isinstance(state, dict):
        wanted = {name: value for name, value in wanted.items() if name in state or name not in LATER}
    found = list(unlike(wanted, state, ""))
    yield from found
    if not found:
        yield from _weights(state)
        yield from _moments(trainer, state["optimisers"])
        yield from _ranges(trainer, state)


def unlike(wanted: Any, found: Any, name: str) -> Iterator[str]:
    """Where plain data and tensors differ in form. What is there beyond the wanted names is not looked at."""
    if isinstance(wanted, Tensor):
        if not isinstance(found, Tensor) or found.layout != torch.strided:
            yield f"{name} is no tensor"
        elif (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
            yield f"{name} is {_words(found)}, wanted {_words(wanted)}"
    elif isinstance(wanted, dict):
        if not isinstance(found, dict):
            yield f"{name or 'the file'} is not by names"
            return
        for key, value in wanted.items():
            whole = f"{name}.{key}" if name else str(key)
            if key in found:
                yield from unlike(value, found[key], whole)
            else:
                yield f"{whole} is missing"
    elif isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            yield f"{name} is not a list of {len(wanted)}"
            return
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from unlike(one, other, f"{name}[{number}]")
    elif isinstance(wanted, float):
        if type(found) not in (int, float) or not abs(found) <= 1e300:
            yield f"{name} is no finite number"
    elif type(found) is not type(wanted):
        yield f"{name} is not {'empty' if wanted is None else f'of type {type(wanted).__name__}'}"


def _of_all(value: Any, slots: int) -> Any:
    """What all processes carry together, by what one does: tensors without numbers."""
    if isinstance(value, Mapping):
        return {name: _of_all(part, slots) for name, part in value.items()}
    return value.new_empty((slots, *value.shape[1:]), device="meta")


def _weights(state: dict[str, Any]) -> Iterator[str]:
    for name in ("model", "ema"):
        for key, tensor in (state[name] or {}).items():
            if not isinstance(key, str) or not isinstance(tensor, Tensor):
                yield f"{name} holds more than tensors by name"
                return


def _moments(trainer: Trainer, saved: list[dict[str, Any]]) -> Iterator[str]:
    """What optimisers remember of each parameter: numbers, or as many as it has; the same of all."""
    for number, (optimiser, one) in enumerate(zip(trainer.optimisers, saved, strict=True)):
        parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        names: set[tuple[str, ...]] = set()
        for at, of in one["state"].items():
            name = f"optimisers[{number}].state[{at}]"
            if type(at) is not int or not 0 <= at < len(parameters) or not isinstance(of, dict):
                yield f"{name} is of no parameter"
                return
            names.add(tuple(sorted(map(str, of))))
            for key, tensor in of.items():
                scalar = isinstance(tensor, Tensor) and tensor.ndim == 0
                yield from unlike(torch.zeros(()) if scalar else parameters[at], tensor, f"{name}.{key}")
                if scalar and not 0 <= float(tensor.real) < math.inf:
                    yield f"{name}.{key} is no count"
        if len(names) > 1:
            yield f"optimisers[{number}] remembers other things of one parameter than of another"


def _ranges(trainer: Trainer, state: dict[str, Any]) -> Iterator[str]:
    spec, count = trainer.model.spec, len(trainer.feeder.examples)
    batch, feeder = state["carry"]["batch"], state["feeder"]
    limits = {"inputs": (0, spec.vocab_size), "labels": (0, spec.vocab_size), "identifiers": (0, spec.num_identifiers)}
    for name, (least, most) in limits.items():
        scored = batch[name][batch[name] != IGNORE] if name == "labels" else batch[name]
        if not bool(((scored >= least) & (scored < most)).all()):
            yield f"carry.batch.{name} has ids outside {least}..{most - 1}"
    for name, tensor in state["carry"]["memory"].items():
        if not isinstance(tensor, Tensor) or not tensor.ndim or len(tensor) != len(batch["inputs"]):
            yield f"carry.memory.{name} has no row for each slot"
    if not torch.equal(feeder["order"].sort().values, torch.arange(count)) or not 0 <= feeder["position"] < count:
        yield "feeder is no place in an order of the examples"
    if min(state["step"], state["seconds"], feeder["epoch"]) < 0:
        yield "step, seconds and epoch are 0 or more"


def _words(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
