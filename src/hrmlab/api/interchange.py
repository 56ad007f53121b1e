"""`import`, `import-config`, `export`: to and from what other programs write."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from hrmlab.api.targets import Run, find_run
from hrmlab.config import encode
from hrmlab.core.model import HRM
from hrmlab.core.weights import save_weights, write_atomically
from hrmlab.errors import CheckpointError, ConfigError
from hrmlab.interop import card, checkpoint, onnx, yaml_config
from hrmlab.interop.arch import Arch
from hrmlab.interop.reverse import all_config, arch_of
from hrmlab.interop.translate import Compat, arch, run_config
from hrmlab.results import Evaluation, Exported, Imported, Protocol
from hrmlab.training.checkpoint import WEIGHTS
from hrmlab.training.config import RunConfig
from hrmlab.training.folder import RunFolder, provenance

FORMATS = ("reference", "hub", "onnx")


def import_config(
    source: str | Path, assignments: Sequence[str] = (), *, out: str | Path | None = None, compat: str | None = None
) -> Imported:
    """Translate the reference's YAML into a configuration file that `hrm train` takes.

    Args:
        source: `cfg_pretrain.yaml`, `all_config.yaml`, a folder with one, or "hrm" or "trm" for the published defaults.
        assignments: `key=value` under the reference's own keys.
        out: the file to write, `imported.json` if left out.
        compat: "sapient" repeats what the reference does where we think it wrong (docs/compatibility.md).

    Raises:
        ConfigError: a key or value that has no meaning here, named.
    """
    config, notes = run_config(yaml_config.read(source, assignments), _name(source), _compat(compat))
    path = Path(out or "imported.json")
    if path.suffix != ".json":
        raise ConfigError(f"--out {path} came; wanted a file name that ends in .json")
    with torch.device("meta"):
        parameters = HRM(config.model, config.task.spec()).parameter_count()
    write_atomically(path, (json.dumps(encode(config), indent=1) + "\n").encode())
    return Imported(str(path), [], parameters, notes)


def import_checkpoint(
    source: str | Path,
    assignments: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    data: str | Path | None = None,
    compat: str | None = None,
) -> Imported:
    """Turn a reference checkpoint into a run folder, ready for `hrm eval`, `hrm solve` and everything else.

    Args:
        source: a folder with `step_<N>` and `all_config.yaml`, a weights file beside one, what
            `export(format="hub")` wrote, or owner/name of such a folder on the Hub.
        assignments: `key=value` under the reference's keys, over those of the file; `arch=hrm_v1` or `arch=trm` where
            there is no file.
        out: the run folder to make.
        data: a data set of the puzzles that the model was trained on; left out, the configuration's own or, by its
            name, the task that it must have been.

    Raises:
        CheckpointError, ConfigError, MissingExtraError: what does not fit, tensor by tensor.
    """
    found = checkpoint.locate(source)
    path = Path(out) if out is not None else Path("runs") / f"{_name(source)}-imported"
    if found.run is not None:
        return _import_ours(found.run, found.weights, path, [*assignments, *_given(data=data, compat=compat)])
    tensors = checkpoint.read(found.weights)
    if found.config is None and not any(word.startswith("arch=") for word in assignments):
        raise ConfigError(
            f"no {checkpoint.CONFIG} beside {found.weights}; say which model it is: arch=hrm_v1 or arch=trm, and what "
            "differs from the published configuration"
        )
    merged = yaml_config.read(found.config or _defaults(assignments), assignments)
    if data is not None:
        merged |= {"data_paths": [str(data)]} if "data_paths" in merged else {"data_path": str(data)}
    config, notes = run_config(merged, _name(source), _compat(compat))
    spec = config.task.spec()
    said = checkpoint.facts(tensors)
    for fact, ours in (("vocab_size", spec.vocab_size), ("num_puzzle_identifiers", spec.num_identifiers)):
        if said.get(fact, ours) != ours:
            raise CheckpointError(
                f"{found.weights} was trained with {fact}={said[fact]}, task '{config.task.kind}' has {ours}; name the "
                "data set that it was trained on with --data DIR"
            )
    model = checkpoint.into_model(tensors, arch(merged), spec, str(found.weights))
    _write_run(path, model, config, found.weights, notes)
    return Imported(str(path), sorted(tensors), model.parameter_count(), notes)


def _import_ours(run: Path, weights: Path, path: Path, unused: Sequence[str]) -> Imported:
    """A run of this program, copied."""
    if unused:
        raise ConfigError(f"{run} is a run of hrm-lab and is taken as it is; without {', '.join(unused)}, please")
    found = find_run(weights)
    model = found.load(torch.device("cpu"))
    _write_run(path, model, found.config, weights, [])
    if (results := _results(found)) is not None:
        RunFolder(path).write("results.json", results)
    return Imported(str(path), sorted(model.state_dict()), model.parameter_count(), [])


def _write_run(path: Path, model: HRM, config: RunConfig, source: Path, notes: list[str]) -> None:
    RunFolder.reserve(path)
    folder = RunFolder(path)
    save_weights(model, path / WEIGHTS)
    folder.write("provenance.json", provenance() | {"imported": str(source), "notes": notes})
    folder.write("config.json", encode(config))


def _given(**options: object) -> list[str]:
    """Those options that were given, as typed."""
    return [f"--{name}" for name, value in options.items() if value is not None]


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
        results = _results(found)
        RunFolder.reserve(path)
        names = card.write(model, found.config, results, path)
        return Exported(str(path), format, names, sorted(model.state_dict()))
    shape = arch_of(found.config, model.spec)
    RunFolder.reserve(path)
    names, keys = _as_reference(model, found, shape, path)
    return Exported(str(path), format, names, keys)


def push_to_hub(folder: str | Path, repository: str) -> str:
    """Upload what `export(format="hub")` wrote to the Hugging Face Hub; the address of the commit."""
    return card.push(Path(folder), repository)


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
        imported = json.loads((run.folder.path / "provenance.json").read_text(encoding="utf-8"))["imported"]
    except (OSError, ValueError, TypeError, KeyError):
        imported = ""
    for name in (run.weights.parent.name, Path(str(imported)).name.removeprefix("step_")):
        if name.isdigit():
            return int(name)
    return run.config.training.steps or 0


def _results(run: Run) -> dict[str, Any] | None:
    file = run.folder.path / "results.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
        return None if found is None else asdict(Evaluation(**found | {"protocol": Protocol(**found["protocol"])}))
    except (OSError, ValueError, TypeError, KeyError):
        raise CheckpointError(f"{file} is damaged; delete it, or make it anew with `hrm eval`") from None


def _compat(name: str | None) -> Compat:
    if name not in (None, "none", "sapient"):
        raise ConfigError(f"--compat {name} came; wanted sapient, or nothing")
    return "sapient" if name == "sapient" else None


def _name(source: str | Path) -> str:
    path = Path(source)
    return path.parent.name or path.stem if path.is_file() else path.name


def _defaults(words: Sequence[str]) -> str:
    return "trm" if "arch=trm" in words else "hrm"
