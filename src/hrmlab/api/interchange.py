"""`import`, `import-config`, `export`: to and from what other programs write."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from hrmlab.api.targets import Run, find_run
from hrmlab.config import encode
from hrmlab.core.model import HRM
from hrmlab.core.weights import save_weights, write_atomically
from hrmlab.errors import CheckpointError, ConfigError
from hrmlab.interop import card, checkpoint, onnx, yaml_config
from hrmlab.interop.reverse import all_config, arch_of
from hrmlab.interop.translate import Compat, arch, run_config
from hrmlab.results import Exported, Imported
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
    write_atomically(path, (json.dumps(encode(config), indent=1) + "\n").encode())
    with torch.device("meta"):
        parameters = HRM(config.model, config.task.spec()).parameter_count()
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
        source: a folder with `step_<N>` and `all_config.yaml`, a weights file beside one, or owner/name on the Hub.
        assignments: `key=value` under the reference's keys, over those of the file; `arch=hrm_v1` or `arch=trm` where
            there is no file.
        out: the run folder to make.
        data: a data set of the puzzles that the model was trained on; left out, the configuration's own or, by its
            name, the task that it must have been.

    Raises:
        CheckpointError, ConfigError, MissingExtraError: what does not fit, tensor by tensor.
    """
    found = checkpoint.locate(source)
    tensors = checkpoint.read(found.weights)
    if found.config is None and not any(word.startswith("arch=") for word in assignments):
        raise ConfigError(
            f"no {checkpoint.CONFIG} beside {found.weights}; say which model it is: arch=hrm_v1 or arch=trm, and what "
            "differs from the published configuration"
        )
    words = [*assignments, *([f"data_path={data}"] if data is not None else [])]
    merged = yaml_config.read(found.config or _defaults(words), words)
    if data is not None and "data_paths" in merged:
        merged["data_paths"] = [str(data)]
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
    path = Path(out) if out is not None else Path("runs") / f"{_name(source)}-imported"
    RunFolder.reserve(path)
    folder = RunFolder(path)
    save_weights(model, path / WEIGHTS)
    folder.write("provenance.json", provenance() | {"imported": str(found.weights), "notes": notes})
    folder.write("config.json", encode(config))
    return Imported(str(path), sorted(tensors), model.parameter_count(), notes)


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
    RunFolder.reserve(path)
    if format == "hub":
        names = card.write(model, found.config, _results(found), path)
        return Exported(str(path), format, names, sorted(model.state_dict()))
    names, keys = _as_reference(model, found.config, path)
    return Exported(str(path), format, names, keys)


def push_to_hub(folder: str | Path, repository: str) -> str:
    """Upload what `export(format="hub")` wrote to the Hugging Face Hub; the address of the commit."""
    return card.push(Path(folder), repository)


def _as_reference(model: HRM, config: RunConfig, folder: Path) -> tuple[list[str], list[str]]:
    shape = arch_of(config, model.spec)
    tensors = checkpoint.from_model(model, shape)
    step = f"step_{config.training.steps or 0}"
    temporary = folder / f".{step}.new"
    torch.save(tensors, temporary)
    temporary.replace(folder / step)
    from omegaconf import OmegaConf

    text = OmegaConf.to_yaml(OmegaConf.create(all_config(config, shape)))
    write_atomically(folder / checkpoint.CONFIG, text.encode())
    return [step, checkpoint.CONFIG], sorted(tensors)


def _results(run: Run) -> dict[str, Any] | None:
    file = run.folder.path / "results.json"
    return json.loads(file.read_text()) if file.is_file() else None


def _compat(name: str | None) -> Compat:
    if name not in (None, "none", "sapient"):
        raise ConfigError(f"--compat {name} came; wanted sapient, or nothing")
    return "sapient" if name == "sapient" else None


def _name(source: str | Path) -> str:
    path = Path(source)
    return path.parent.name or path.stem if path.is_file() else path.name


def _defaults(words: Sequence[str]) -> str:
    return "trm" if "arch=trm" in words else "hrm"
