"""Golden vectors: a recorded run of a reference implementation, read and checked.

The file holds a configuration, initial weights, the batches and everything that the reference computed from them: six
training steps with its optimisers, then an evaluation. The model is built from the file's own configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from hrmlab.core.weights import fill
from hrmlab.errors import CheckpointError, ConfigError, DataError, unknown
from hrmlab.interop.arch import TRM_ONLY, problem
from hrmlab.interop.faces import ReferenceModel
from hrmlab.interop.published import ARCH, INSIDE
from hrmlab.interop.sapient import HierarchicalReasoningModel_ACTV1
from hrmlab.interop.trm import TinyRecursiveReasoningModel_ACTV1
from hrmlab.losses import IGNORE
from hrmlab.reading import parsed

MODELS: dict[str, type[ReferenceModel]] = {
    "hrm": HierarchicalReasoningModel_ACTV1,
    "trm": TinyRecursiveReasoningModel_ACTV1,
}
BATCH = ("inputs", "labels", "puzzle_identifiers")
MOST = 2**17
"""Of rows, cells, symbols, puzzles and whatever else is counted or scaled by: what is recorded is small."""
SIZES = ("seq_len", "vocab_size", "num_puzzle_identifiers", "batch_size")
RATES = ("lr", "weight_decay", "puzzle_emb_lr", "puzzle_emb_weight_decay")


@dataclass(frozen=True)
class Golden:
    """A file of golden vectors, read."""

    path: Path
    family: str
    config: dict[str, Any]
    loss_type: str
    train_steps: int
    eval_steps: int
    optimizer: dict[str, Any]
    tensors: Mapping[str, Tensor] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> "Golden":
        """Raises DataError: not a file of golden vectors, and why."""
        try:
            with safe_open(path, "pt") as file:
                about = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
                if odd := [name for name, tensor in tensors.items() if tensor.is_complex()]:
                    raise DataError(f"{path}: {odd[0]} holds complex numbers; wanted floats or whole numbers")
        except FileNotFoundError:
            raise DataError(f"no file at {path}; wanted golden vectors (.safetensors), or a folder of them") from None
        except (SafetensorError, OSError) as error:
            raise DataError(f"{path} is no safetensors file, or damaged: {_line(error)}") from None
        try:
            golden = cls(
                path=path,
                family=about["family"],
                config=parsed(about["config"]),
                loss_type=about["loss_type"],
                train_steps=int(about["train_steps"]),
                eval_steps=int(about["eval_steps"]),
                optimizer=parsed(about["optimizer"]),
                tensors=tensors,
            )
        except KeyError as error:
            raise DataError(f"{path} holds no golden vectors: its metadata lacks {error}") from None
        except ValueError as error:
            raise DataError(f"{path} holds no golden vectors: its metadata is garbled ({_line(error)})") from None
        golden._check()
        return golden

    def _check(self) -> None:
        """Raises DataError for metadata that say nothing, or what nothing here knows."""
        if self.family not in MODELS:
            raise DataError(f"{self.path}: {unknown('family', self.family, MODELS)}")
        if not isinstance(self.config, dict) or not isinstance(self.optimizer, dict):
            raise DataError(f"{self.path}: config and optimizer are JSON objects in golden vectors")
        known = MODELS[self.family].Config.model_fields.keys() | ARCH[self.family].keys() | INSIDE
        known -= {"family", "compat", "name", "loss", *(TRM_ONLY if self.family == "hrm" else ())}
        for key in self.config.keys() - known:
            raise DataError(f"{self.path}: {unknown('config key', key, known)}")
        for key in SIZES:
            if type(size := self.config.get(key, 1)) is not int:
                raise DataError(f"{self.path}: config {key}={size!r} came; wanted a whole number")
        for key, value in self.config.items():
            if key != "rope_theta" and isinstance(value, (int, float)) and value > MOST:  # that is a base of angles
                raise DataError(f"{self.path}: config {key}={value} came; wanted {MOST} at most, in a recording")
        if self.train_steps < 1 or self.eval_steps < 1:
            steps = f"train_steps={self.train_steps} and eval_steps={self.eval_steps}"
            raise DataError(f"{self.path}: {steps} came; wanted 1 or more")
        try:
            betas = [float(beta) for beta in self.optimizer["betas"]]
            rates = [float(self.optimizer[name]) for name in RATES]
        except KeyError as error:
            raise DataError(f"{self.path}: optimizer lacks {error}") from None
        except (TypeError, ValueError, OverflowError):
            raise DataError(f"{self.path}: optimizer {self.optimizer} came; it wants numbers, and two betas") from None
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas) or not all(0 <= rate < MOST for rate in rates):
            raise DataError(f"{self.path}: optimizer {self.optimizer} came; wanted rates >= 0 and two betas in [0, 1)")

    def below(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `prefix`, under the rest of their names."""
        return {name.removeprefix(prefix): t for name, t in self.tensors.items() if name.startswith(prefix)}

    def batch(self, prefix: str) -> dict[str, Tensor]:
        """Raises DataError where the file lacks it, or where it does not fit the configuration."""
        batch = {name: self.tensor(f"{prefix}/batch/{name}") for name in BATCH}
        wanted, slots = self.config["seq_len"], batch["puzzle_identifiers"].shape[:1].numel()
        if slots > (most := self.config.get("batch_size", 1)):
            raise DataError(f"{self.path}: {prefix}/batch has {slots} rows, config batch_size={most}")
        for name, tensor in batch.items():
            shape = (slots,) if name == "puzzle_identifiers" else (slots, wanted)
            scored = tensor[tensor != IGNORE] if name == "labels" else tensor
            most = self.config["num_puzzle_identifiers" if name == "puzzle_identifiers" else "vocab_size"]
            if tuple(tensor.shape) != shape or tensor.is_floating_point() or not slots:
                raise DataError(f"{self.path}: {prefix}/batch/{name} is {tensor.dtype} of shape {tuple(tensor.shape)}")
            if not bool(((scored >= 0) & (scored < most)).all()):
                raise DataError(f"{self.path}: {prefix}/batch/{name} has ids outside 0..{most - 1}")
        return batch

    def tensor(self, name: str) -> Tensor:
        """Raises DataError where the file lacks it."""
        if name not in self.tensors:
            raise DataError(f"{self.path} lacks '{name}'; wanted a recording of every step that it tells of")
        return self.tensors[name]

    def model(self, dtype: torch.dtype) -> ReferenceModel:
        """The reference's model of the file's own configuration, with its initial weights.

        Raises:
            DataError: the configuration or the weights do not make a model.
        """
        try:
            model = MODELS[self.family](self.config | {"forward_dtype": str(dtype).removeprefix("torch.")})
            fill(model, self.below("init/"), f"{self.path}, init/")
        except ValidationError as error:
            raise DataError(f"{self.path}: config: {problem(error)}") from None
        except (ConfigError, CheckpointError) as error:
            raise DataError(f"{self.path}: {error}") from None
        return model


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
