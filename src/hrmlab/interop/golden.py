"""Golden vectors: a recorded run of a reference implementation, played again and compared number by number.

The file holds a configuration, initial weights, the batches and everything that the reference computed from them: six
training steps with its optimisers, then an evaluation. The model is built from the file's own configuration.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from hrmlab.core.compiling import compiled as compiled_form
from hrmlab.core.weights import fill
from hrmlab.errors import CheckpointError, ConfigError, DataError
from hrmlab.interop.faces import ACTCarry, ReferenceModel
from hrmlab.interop.loss_head import ACTLossHead
from hrmlab.interop.sapient import CastedSparseEmbeddingSignSGD_Distributed, HierarchicalReasoningModel_ACTV1
from hrmlab.interop.trm import TinyRecursiveReasoningModel_ACTV1
from hrmlab.training.adam_atan2 import AdamAtan2

MODELS: dict[str, type[ReferenceModel]] = {
    "hrm": HierarchicalReasoningModel_ACTV1,
    "trm": TinyRecursiveReasoningModel_ACTV1,
}
OUTPUTS = ("logits", "q_halt_logits", "q_continue_logits", "target_q_continue")
BATCH = ("inputs", "labels", "puzzle_identifiers")
Compare = Callable[[str, Tensor, Tensor, bool], None]
"""Called as compare(group, ours, theirs, first): `first` where nothing came before that could have drifted."""


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
        except (SafetensorError, OSError) as error:
            raise DataError(f"{path} is no safetensors file, or damaged: {error}") from None
        try:
            golden = cls(
                path=path,
                family=about["family"],
                config=json.loads(about["config"]),
                loss_type=about["loss_type"],
                train_steps=int(about["train_steps"]),
                eval_steps=int(about["eval_steps"]),
                optimizer=json.loads(about["optimizer"]),
                tensors=tensors,
            )
        except (KeyError, ValueError) as error:
            raise DataError(f"{path} holds no golden vectors: its metadata lacks or garbles {error}") from None
        if golden.family not in MODELS:
            raise DataError(f"{path}: family '{golden.family}' came; wanted one of: {', '.join(MODELS)}")
        return golden

    def below(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `prefix`, under the rest of their names."""
        return {name.removeprefix(prefix): t for name, t in self.tensors.items() if name.startswith(prefix)}

    def batch(self, prefix: str) -> dict[str, Tensor]:
        """Raises DataError where the file lacks it."""
        try:
            return {name: self.tensors[f"{prefix}/batch/{name}"] for name in BATCH}
        except KeyError as error:
            raise DataError(f"{self.path} lacks {error}") from None

    def model(self, dtype: torch.dtype) -> ReferenceModel:
        """The reference's model of the file's own configuration, with its initial weights.

        Raises:
            DataError: the configuration or the weights do not make a model.
        """
        try:
            model = MODELS[self.family](self.config | {"forward_dtype": str(dtype).removeprefix("torch.")})
            fill(model, self.below("init/"), f"{self.path}, init/")
        except (ValidationError, ConfigError, CheckpointError) as error:
            raise DataError(f"{self.path}: {error}") from None
        return model


def replay(golden: Golden, compare: Compare, *, dtype: torch.dtype = torch.float32, compiled: bool = False) -> None:
    """Train and evaluate as recorded, handing every number of ours to `compare` beside the recorded one.

    Groups are outputs, states, halting (steps and halted flags), loss, metrics, grads, weights and eval.
    """
    model = golden.model(dtype)
    with _compiling(model) if compiled else nullcontext():
        head = ACTLossHead(model, golden.loss_type)
        _train(golden, head, compare)
        fill(model, golden.below("final/"), f"{golden.path}, final/")
        _evaluate(golden, head, compare)


@contextmanager
def _compiling(model: ReferenceModel) -> Iterator[None]:
    """Compiled, and an error rather than a silent return to eager."""
    torch.compiler.reset()
    with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True, recompile_limit=16):
        model.inner.__dict__["forward_core"] = compiled_form(model.inner.core)
        yield


def _train(golden: Golden, head: ACTLossHead, compare: Compare) -> None:
    model = head.model.train()
    optimisers = _optimisers(golden, model)
    carry = model.initial_carry(golden.batch("train/0"))
    for t in range(golden.train_steps):
        batch = golden.batch(f"train/{t}")
        carry, loss, metrics, out, _ = head(return_keys=OUTPUTS, carry=carry, batch=batch)
        record = golden.below(f"train/{t}/")
        _compare_call(record, out, carry, loss, metrics, compare, first=t == 0)
        (loss / len(batch["inputs"])).backward()
        for name, want in golden.below(f"train/{t}/grad/").items():
            compare("grads", _gradient(model, name), want, True)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
    ours = model.state_dict()
    for name, want in golden.below("final/").items():
        compare("weights", ours[name], want, False)


def _evaluate(golden: Golden, head: ACTLossHead, compare: Compare) -> None:
    model, batch = head.model.eval(), golden.batch("eval")
    carry, metrics = model.initial_carry(batch), {}
    with torch.no_grad():
        for t in range(golden.eval_steps):
            carry, loss, metrics, out, _ = head(return_keys=OUTPUTS, carry=carry, batch=batch)
            for want, ours in _pairs(golden.below(f"eval/{t}/out/"), out):
                compare("eval", ours, want, False)
            compare("loss", loss, golden.tensors[f"eval/{t}/loss"], t == 0)
    record = golden.below("eval/final/")
    for want, ours in _pairs(record, {"z_H": carry.inner_carry.z_H, "z_L": carry.inner_carry.z_L}):
        compare("eval", ours, want, False)
    for want, ours in _pairs(golden.below("eval/final/metrics/"), metrics):
        compare("eval", ours, want, False)


def _compare_call(
    record: dict[str, Tensor],
    out: dict[str, Tensor],
    carry: ACTCarry,
    loss: Tensor,
    metrics: dict[str, Tensor],
    compare: Compare,
    first: bool,
) -> None:
    groups: tuple[tuple[str, str, dict[str, Tensor]], ...] = (
        ("outputs", "out/", out),
        ("states", "carry/", {"z_H": carry.inner_carry.z_H, "z_L": carry.inner_carry.z_L}),
        ("halting", "carry/", {"steps": carry.steps, "halted": carry.halted}),
        ("loss", "", {"loss": loss}),
        ("metrics", "metrics/", metrics),
    )
    for group, folder, ours in groups:
        for name, tensor in ours.items():
            if (want := record.get(folder + name)) is not None:
                compare(group, tensor, want, first)


def _pairs(record: dict[str, Tensor], ours: Mapping[str, Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    return ((record[name], tensor) for name, tensor in ours.items() if name in record)


def _optimisers(golden: Golden, model: ReferenceModel) -> list[torch.optim.Optimizer]:
    """In the reference's order: the sparse rows first."""
    o = golden.optimizer
    sparse: list[torch.optim.Optimizer] = []
    if hasattr(model.inner, "puzzle_emb"):
        lr, decay = o["puzzle_emb_lr"], o["puzzle_emb_weight_decay"]
        sparse = [CastedSparseEmbeddingSignSGD_Distributed(model.puzzle_emb.buffers(), 1, lr, decay)]
    betas = (float(o["betas"][0]), float(o["betas"][1]))
    return [*sparse, AdamAtan2(list(model.parameters()), o["lr"], betas, o["weight_decay"])]


def _gradient(model: ReferenceModel, name: str) -> Tensor:
    found = model.puzzle_emb.local_weights if name.endswith("local_weights") else model.get_parameter(name)
    return torch.zeros_like(found) if found.grad is None else found.grad
