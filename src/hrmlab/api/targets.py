"""What a RUN and a TARGET on the command line stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path

import torch

from hrmlab.config import load_json
from hrmlab.core.model import HRM
from hrmlab.errors import CheckpointError, ConfigError
from hrmlab.interop import checkpoint
from hrmlab.presets import PRESETS, preset
from hrmlab.reading import exists, whole
from hrmlab.tasks.base import Task
from hrmlab.training.config import RunConfig
from hrmlab.training.folder import RunFolder, filled, find_weights

SHIPPED = Path(__file__).parent.parent / "shipped"
"""Models that come with the package: SHIPPED/<name>/ with config.json, weights.safetensors, results.json."""


@dataclass(frozen=True)
class Run:
    """A trained model on disk, not loaded yet."""

    folder: RunFolder
    weights: Path
    config: RunConfig

    @property
    def about_weights(self) -> str:
        """Which weights these are, in words."""
        place = self.weights.parent.name
        return describe_weights(self.config, whole(place))

    @property
    def fingerprint(self) -> str:
        """The first digits of the weights file's SHA-256: the same weights, whatever their path."""
        with self.weights.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()[:16]

    def load(self, device: torch.device, task: Task | None = None) -> HRM:
        """The model, ready for inference.

        Args:
            task: read puzzles of this task, where the weights allow it, instead of the run's own.

        Raises:
            CheckpointError: the weights are damaged or do not fit.
        """
        own = self.config.task
        try:
            model = filled(self.config.model, (task or own).spec(), self.weights)
        except CheckpointError as error:
            if task is None or task == own:
                raise
            mine, theirs = own.spec(), task.spec()
            if mine.num_identifiers != theirs.num_identifiers:
                raise CheckpointError(
                    f"the run was trained on {mine.num_identifiers} puzzle identifiers, these data have "
                    f"{theirs.num_identifiers}, and its weights depend on that ({error})"
                ) from None
            raise CheckpointError(
                f"the run was trained on {mine.seq_len} cells and {mine.vocab_size} tokens, these data have "
                f"{theirs.seq_len} and {theirs.vocab_size}, and its weights depend on that ({error})"
            ) from None
        return model.to(device).eval()


def describe_weights(config: RunConfig, step: int | None) -> str:
    """Which weights of a run are evaluated, in words."""
    ema = config.training.ema
    kind = "last weights" if ema is None else f"average of the weights (decay {ema:g})"
    return kind if step is None else f"{kind}, step {step}"


def shipped_models() -> list[str]:
    """Names of the trained models that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/config.json"))


def find_run(name: str | Path) -> Run:
    """A run folder, a checkpoint or weights file inside one, a shipped model by name, or owner/name on the Hub.

    Raises:
        CheckpointError: there is none, or it is damaged; the message says what to type.
        ConfigError: its configuration does not decode.
    """
    path = Path(name)
    if not exists(path) and str(name) in shipped_models():
        path = SHIPPED / str(name)
    if not exists(path) and _may_be_on_the_hub(str(name)):
        path = _downloaded(str(name))
    if not exists(path):
        raise CheckpointError(_no_run(str(name)))
    folder, weights = find_weights(path)
    return Run(folder, weights, folder.config())


def is_run(name: str | Path) -> bool:
    """Whether a TARGET has weights: `find_run` takes it, or says what is wrong with it."""
    path = Path(name)
    if path.suffix == ".json":
        return False
    return exists(path) or str(name) in shipped_models() or _may_be_on_the_hub(str(name))


def _may_be_on_the_hub(name: str) -> bool:
    """Of the form owner/name, where no folder of the owner's name makes it a mistyped path, and the client is there."""
    return checkpoint.is_hub_name(name) and not exists(Path(name).parent) and find_spec("huggingface_hub") is not None


def _downloaded(name: str) -> Path:
    path = checkpoint.download(name)
    if checkpoint.locate(path).run is None:
        raise CheckpointError(f"{name} is a checkpoint of the reference's; type `hrm import {name} --out RUN` first")
    return path


def companions(names: Sequence[str | Path], task: Task, device: torch.device) -> list[HRM]:
    """More models that answer puzzles of a task, for ensembles of checkpoints.

    Raises:
        CheckpointError: there is none, or its weights do not fit the task.
        ConfigError: one was trained on another kind of task.
    """
    models = []
    for name in names:
        found = find_run(name)
        if found.config.task.kind != task.kind:
            raise ConfigError(f"--checkpoint {name} was trained on '{found.config.task.kind}'; wanted '{task.kind}'")
        models.append(found.load(device, task))
    return models


def _no_run(name: str) -> str:
    models = shipped_models()
    if name in PRESETS:
        return f"'{name}' is a preset that has not been trained here; type `hrm train {name} --out {name}` first"
    near = get_close_matches(name, [*models, *PRESETS], n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    shipped = f"models that come with hrm-lab: {', '.join(models)}; " if models else ""
    return f"no run at '{name}'{hint} ({shipped}train one with `hrm train PRESET`)"


def find_config(target: str | Path) -> RunConfig:
    """The configuration of a preset, a run, a shipped model or a configuration file.

    Raises:
        ConfigError, CheckpointError: nothing of that name, or it does not decode.
    """
    path, name = Path(target), str(target)
    if name in PRESETS:
        return preset(name).make()
    if exists(path):
        if path.is_file() and path.suffix == ".json":
            return load_json(path, RunConfig)
        if exists(path / "config.json"):
            return RunFolder(path).config()
        raise ConfigError(f"{path} is neither a run folder nor a configuration file (.json); wanted one, or a preset")
    if name in shipped_models():
        return RunFolder(SHIPPED / name).config()
    if path.suffix == ".json" or len(path.parts) > 1:
        raise ConfigError(f"no file or run at {path}; wanted a preset (`hrm catalog preset`) or a configuration file")
    return preset(name).make()
