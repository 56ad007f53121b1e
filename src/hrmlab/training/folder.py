"""The run folder: configuration, provenance, metrics and checkpoints of one run in one place.

RUN/config.json        the complete configuration (`RunConfig`)
RUN/provenance.json    versions, device, git revision, command
RUN/metrics.jsonl      one JSON object a line: step, seconds, measures
RUN/results.json       the final evaluation with its protocol
RUN/model.safetensors  in place of checkpoints, in a folder from the Hugging Face Hub
RUN/checkpoints/<step>/
RUN/tensorboard/       where `training.tensorboard` is true
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from hrmlab.config import encode, load_json
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.weights import compare, fill, read_weights, write_atomically
from hrmlab.errors import CheckpointError
from hrmlab.reading import exists, is_name, read_lines
from hrmlab.spec import TaskSpec
from hrmlab.training.checkpoint import WEIGHTS, checkpoints, verify
from hrmlab.training.config import RunConfig

HUB_WEIGHTS = "model.safetensors"
"""Weights by the name that the Hugging Face Hub knows."""


class RunFolder:
    """A run on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> "RunFolder":
        """Start a new run.

        Raises:
            CheckpointError: something is there already.
        """
        cls.reserve(path)
        folder = cls(path)
        folder.write("config.json", encode(config))
        folder.write("provenance.json", provenance())
        return folder

    @staticmethod
    def reserve(path: Path) -> None:
        """Make an empty folder for a run, so that a place that cannot be used is known before work starts.

        Raises:
            CheckpointError: something is there already, or the folder cannot be made.
        """
        if path.is_file():
            raise CheckpointError(f"{path} is a file, wanted a folder for the run; choose another --out")
        try:
            if path.exists() and any(path.iterdir()):
                raise CheckpointError(f"{path} is not empty; choose another --out, or go on with --resume {path}")
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"cannot make {path}: {error.strerror}; choose another --out") from None

    @staticmethod
    def begin_again(path: Path) -> None:
        """Empty the folder of a run that died before its first checkpoint; other folders are left as they are."""
        if not (path / "config.json").is_file() or checkpoints(path / "checkpoints"):
            return
        for name in ("config.json", "provenance.json", "metrics.jsonl"):
            (path / name).unlink(missing_ok=True)
        for name in ("checkpoints", "tensorboard"):
            shutil.rmtree(path / name, ignore_errors=True)

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def config(self) -> RunConfig:
        """Raises ConfigError if the file is missing or does not decode."""
        return load_json(self.path / "config.json", RunConfig)

    def write(self, name: str, data: Any) -> None:
        """Write a JSON file, whole or not at all."""
        write_atomically(self.path / name, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())

    def log(self, record: dict[str, Any]) -> None:
        """Append a line to metrics.jsonl."""
        try:
            with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise CheckpointError(f"cannot write {self.path / 'metrics.jsonl'}: {error.strerror}") from None

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl; those that are none, as a crash leaves them, are passed over.

        Raises:
            CheckpointError: it cannot be read.
        """
        file = self.path / "metrics.jsonl"
        if not file.is_file():
            return []
        try:
            return [line for line in read_lines(file) if isinstance(line, dict) and type(line.get("step")) is int]
        except OSError as error:
            raise CheckpointError(f"cannot read {file}: {error.strerror}") from None

    def last_checkpoint(self) -> Path:
        """The newest checkpoint whose files are sound.

        Raises:
            CheckpointError: there is none; the message says what is wrong with the newest.
        """
        found = checkpoints(self.checkpoints)
        trouble = f"{self.path} has no checkpoint yet"
        for checkpoint in reversed(found):
            try:
                verify(checkpoint)
            except CheckpointError as error:
                trouble = str(error)
            else:
                return checkpoint
        raise CheckpointError(trouble)

    def weights(self) -> Path:
        """The weights to evaluate: beside the configuration (a shipped or downloaded model), or of the last sound
        checkpoint."""
        beside = [self.path / name for name in (WEIGHTS, HUB_WEIGHTS) if (self.path / name).is_file()]
        return beside[0] if beside else self.last_checkpoint() / WEIGHTS


def folder_name(name: str) -> str:
    """A name out of a configuration, where a folder can be called so.

    Raises:
        CheckpointError: it leads elsewhere.
    """
    if not is_name(name):
        raise CheckpointError(f"the name '{name}' is none for a folder; set name=NAME, or choose the folder with --out")
    return name


def find_weights(path: Path) -> tuple[RunFolder, Path]:
    """The run and its weights file, of a run folder, or of a checkpoint or weights file inside one.

    Raises:
        CheckpointError: nothing loadable is there, and why.
    """
    if not exists(path):
        raise CheckpointError(f"no run at {path}")
    if (path / "config.json").is_file():
        folder = RunFolder(path)
        return folder, folder.weights()
    weights = path if path.is_file() else path / WEIGHTS
    home = next((p for p in weights.absolute().parents if (p / "config.json").is_file()), None)
    if home is None:
        raise CheckpointError(f"{path} is no run folder (it has no config.json), nor is it inside one")
    return RunFolder(home), weights


def filled(config: ModelConfig, spec: TaskSpec, weights: Path) -> HRM:
    """A model with the weights of a file.

    They are compared before it is made: a configuration that is not theirs may ask for any amount of memory.

    Raises:
        CheckpointError: the file is damaged, or every tensor that does not fit.
        ConfigError: parts that do not fit each other or the data.
    """
    found = read_weights(weights)
    with torch.device("meta"):
        skeleton = HRM(config, spec)
    compare(skeleton.state_dict(), found, str(weights))
    model = HRM(config, spec)
    fill(model, found, str(weights))
    return model


def provenance() -> dict[str, Any]:
    """What a number depends on beside its configuration."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": {name: version(name) for name in ("hrm-lab", "torch", "numpy", "safetensors")}
        | {"python": platform.python_version()},
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
        "git": _git_revision(),
    }


def _git_revision() -> str | None:
    """The revision of this package's own checkout, with "+" where files differ; None outside one."""
    here = Path(__file__).resolve().parent
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() or None
