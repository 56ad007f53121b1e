"""`export` and `push_to_hub`: a run, written for others to read."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from hrmlab.api.targets import Run, find_run
from hrmlab.config import decode
from hrmlab.core.model import HRM
from hrmlab.core.weights import write_atomically
from hrmlab.errors import CheckpointError, ConfigError
from hrmlab.interop import card, checkpoint, onnx
from hrmlab.interop.arch import Arch
from hrmlab.interop.reverse import all_config, arch_of
from hrmlab.reading import read_json, whole
from hrmlab.results import Evaluation, Exported
from hrmlab.training.folder import HUB_WEIGHTS, RunFolder

FORMATS = ("reference", "hub", "onnx")


def export(run: str | Path, *, out: str | Path, format: str = "reference") -> Exported:
    """Write a run for others to read.

    Args:
        format: "reference" (state dict and all_config.yaml, bit-equal to what was imported), "hub" (safetensors,
            config.json and a model card) or "onnx" (one segment, checked in onnxruntime).

    Raises:
        ConfigError, CheckpointError, MissingExtraError: the run cannot be written so, and why.
    """
    if format not in FORMATS:
        raise ConfigError(f"--format {format} came; wanted one of {', '.join(FORMATS)}")
    found = find_run(run)
    model = found.load(torch.device("cpu"))
    path = Path(out)
    if format == "onnx":
        if path.suffix != ".onnx":
            raise ConfigError(f"--out {path} came; wanted a file name that ends in .onnx")
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.export(model, path)
        return Exported(str(path), format, [path.name], [])
    if format == "hub":
        results = results_of(found)
        RunFolder.reserve(path)
        names = card.write(model, found.config, results, path)
        return Exported(str(path), format, names, sorted(model.state_dict()))
    shape = arch_of(found.config, model.spec)
    RunFolder.reserve(path)
    names, keys = _as_reference(model, found, shape, path)
    return Exported(str(path), format, names, keys)


def push_to_hub(run: str | Path, repository: str) -> str:
    """Upload a run, or what `export(format="hub")` wrote of one, to the Hugging Face Hub; the address of the commit.

    Raises:
        MissingExtraError, CheckpointError: no client, no such run, or the Hub refused.
    """
    folder = Path(run)
    if (folder / HUB_WEIGHTS).is_file() and (folder / "README.md").is_file():
        return card.push(folder, repository)
    with TemporaryDirectory() as temporary:
        export(run, out=Path(temporary) / "hub", format="hub")
        return card.push(Path(temporary) / "hub", repository)


def _as_reference(model: HRM, run: Run, shape: Arch, folder: Path) -> tuple[list[str], list[str]]:
    tensors = checkpoint.from_model(model, shape)
    step = f"step_{_step(run)}"
    temporary = folder / f".{step}.new"
    torch.save(tensors, temporary)
    temporary.replace(folder / step)
    from omegaconf import OmegaConf

    text = OmegaConf.to_yaml(OmegaConf.create(all_config(run.config, shape)))
    write_atomically(folder / checkpoint.CONFIG, text.encode())
    return [step, checkpoint.CONFIG], sorted(tensors)


def _step(run: Run) -> int:
    """After how many optimiser steps the weights were taken: by the checkpoint's name, or as it was when imported."""
    try:
        imported = read_json(run.folder.path / "provenance.json")["imported"]
    except (OSError, ValueError, TypeError, KeyError):
        imported = ""
    for name in (run.weights.parent.name, Path(str(imported)).name.removeprefix("step_")):
        if (step := whole(name)) is not None:
            return step
    return run.config.training.steps or 0


def results_of(run: Run) -> dict[str, Any] | None:
    file = run.folder.path / "results.json"
    try:
        found = read_json(file) if file.is_file() else None
        return None if found is None else asdict(decode(Evaluation, found, str(file)))
    except (OSError, ValueError):
        raise CheckpointError(f"{file} is damaged; delete it, or make it anew with `hrm eval`") from None
