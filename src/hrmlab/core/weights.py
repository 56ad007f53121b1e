"""Weights on disk: one safetensors file, written whole or not at all, read strictly."""

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from hrmlab.errors import CheckpointError


@contextmanager
def appearing_whole(path: Path) -> Iterator[Path]:
    """A temporary path to write a file to; afterwards it is synced to disk and takes its name, there or not at all.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written; the file that was there is untouched.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"cannot write {path}: {reason}; free some space or choose another --out") from None
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to disk, so that a power cut finds them."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises CheckpointError as `appearing_whole`."""
    with appearing_whole(path) as temporary:
        temporary.write_bytes(content)


def save_weights(model: nn.Module, path: Path) -> None:
    """Write a model's parameters and saved buffers, from where they are: no second copy of them is held."""
    save_tensors(model.state_dict(), path)


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write what a model's `state_dict` gives, as `save_weights`."""
    here = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with appearing_whole(path) as temporary:
        save_file(here, temporary, metadata={"format": "hrm-lab/1"})


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file.

    Raises:
        CheckpointError: the file is missing, truncated or no safetensors file.
    """
    if not path.is_file():
        raise CheckpointError(f"no weights file at {path}")
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or no safetensors file: {error}") from None


def load_weights(model: nn.Module, path: Path) -> None:
    """Fill a model from a weights file, strictly.

    Raises:
        CheckpointError: every missing, unknown and misshapen tensor, by name.
    """
    fill(model, read_weights(path), str(path))


def fill(model: nn.Module, found: dict[str, Tensor], where: str) -> None:
    """Copy tensors into a model, strictly.

    Raises:
        CheckpointError: as `load_weights`; the model is then unchanged.
    """
    wanted = model.state_dict()
    compare(wanted, found, where)
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(found[name])


def compare(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], where: str) -> None:
    """Raises CheckpointError as `load_weights`."""
    if problems := misfits(wanted, found):
        raise CheckpointError(f"{where} does not fit the model: {'; '.join(problems)}")


def misfits(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Every missing, unknown and misshapen tensor, and those of other kinds of numbers, in words."""
    problems = [f"{name} is missing" for name in wanted.keys() - found.keys()]
    problems += [f"{name} is not in the model" for name in found.keys() - wanted.keys()]
    problems += [
        f"{name} has shape {tuple(found[name].shape)}, the model wants {tuple(wanted[name].shape)}"
        for name in wanted.keys() & found.keys()
        if wanted[name].shape != found[name].shape
    ]
    problems += [
        f"{name} is {_kind(found[name])}, the model wants {_kind(wanted[name])}"
        for name in wanted.keys() & found.keys()
        if wanted[name].shape == found[name].shape and _kind(wanted[name]) != _kind(found[name])
    ]
    return sorted(problems)


def _kind(tensor: Tensor) -> str:
    """Of its numbers; how many digits they have makes no difference."""
    if tensor.layout != torch.strided:
        return "sparse"
    if tensor.is_floating_point():
        return "floats"
    return "truths" if tensor.dtype == torch.bool else "complex" if tensor.is_complex() else "whole numbers"
