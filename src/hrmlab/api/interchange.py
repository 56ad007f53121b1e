"""`import`, `import-config` and `from_pretrained`: what other programs wrote, taken."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from hrmlab.api.exporting import results_of
from hrmlab.api.targets import find_run, shipped_models
from hrmlab.config import encode
from hrmlab.core.model import HRM
from hrmlab.core.weights import save_weights, write_atomically
from hrmlab.errors import CheckpointError, ConfigError
from hrmlab.interop import checkpoint, yaml_config
from hrmlab.interop.checkpoint import Located
from hrmlab.interop.translate import Compat, arch, run_config
from hrmlab.results import Imported
from hrmlab.tasks import Arc
from hrmlab.training.checkpoint import WEIGHTS
from hrmlab.training.config import RunConfig
from hrmlab.training.folder import RunFolder, provenance


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
    taken = _take(found, _name(source), assignments, data, _compat(compat))
    _write_run(path, taken.model, taken.config, found.weights, taken.notes)
    return Imported(str(path), taken.keys, taken.model.parameter_count(), taken.notes)


@dataclass(frozen=True)
class _Taken:
    """A checkpoint of the reference's, read. keys: the names of its tensors on disk."""

    model: HRM
    config: RunConfig
    keys: list[str]
    notes: list[str]


def _take(found: Located, name: str, assignments: Sequence[str], data: str | Path | None, compat: Compat) -> _Taken:
    tensors = checkpoint.read(found.weights)
    if found.config is None and not any(word.startswith("arch=") for word in assignments):
        raise ConfigError(
            f"no {checkpoint.CONFIG} beside {found.weights}; say which model it is: arch=hrm_v1 or arch=trm, and what "
            "differs from the published configuration"
        )
    merged = yaml_config.read(found.config or _defaults(assignments), assignments)
    if data is not None:
        merged |= {"data_paths": [str(data)]} if "data_paths" in merged else {"data_path": str(data)}
    config, notes = run_config(merged, name, compat)
    said = checkpoint.facts(tensors)
    if isinstance(config.task, Arc) and not (Path(config.data.path or "") / "train").is_dir():
        notes.append("the puzzles' names are with the data set: `hrm eval RUN --data DIR` wants that of the training")
        config = replace(config, task=replace(config.task, identifiers=said.get("num_puzzle_identifiers", 1)))
    spec = config.task.spec()
    for fact, ours in (("vocab_size", spec.vocab_size), ("num_puzzle_identifiers", spec.num_identifiers)):
        if said.get(fact, ours) != ours:
            raise CheckpointError(
                f"{found.weights} was trained with {fact}={said[fact]}, task '{config.task.kind}' has {ours}; name the "
                "data set that it was trained on with --data DIR"
            )
    model = checkpoint.into_model(tensors, arch(merged), spec, str(found.weights))
    return _Taken(model, config, sorted(tensors), notes)


def from_pretrained(source: str | Path, assignments: Sequence[str] = (), *, data: str | Path | None = None) -> HRM:
    """A trained model, in evaluation mode on the CPU; nothing is written.

    Args:
        source: a run, a shipped model by name, a reference checkpoint, or owner/name of one on the Hugging Face Hub.
        assignments, data: for checkpoints of the reference, as `import_checkpoint` takes them.

    Raises:
        CheckpointError, ConfigError, MissingExtraError: as `import_checkpoint`.
    """
    path = Path(source)
    if (path / "config.json").is_file() or (str(source) in shipped_models() and not path.exists()):
        return find_run(source).load(torch.device("cpu"))
    found = checkpoint.locate(source)
    if found.run is not None:
        return find_run(found.weights).load(torch.device("cpu"))
    return _take(found, _name(source), assignments, data, None).model.eval()


def _import_ours(run: Path, weights: Path, path: Path, unused: Sequence[str]) -> Imported:
    """A run of this program, copied."""
    if unused:
        raise ConfigError(f"{run} is a run of hrm-lab and is taken as it is; without {', '.join(unused)}, please")
    found = find_run(weights)
    model = found.load(torch.device("cpu"))
    _write_run(path, model, found.config, weights, [])
    if (results := results_of(found)) is not None:
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


def _compat(name: str | None) -> Compat:
    if name not in (None, "none", "sapient"):
        raise ConfigError(f"--compat {name} came; wanted sapient, or nothing")
    return "sapient" if name == "sapient" else None


def _name(source: str | Path) -> str:
    path = Path(source)
    return path.parent.name or path.stem if path.is_file() else path.name


def _defaults(words: Sequence[str]) -> str:
    return "trm" if "arch=trm" in words else "hrm"
