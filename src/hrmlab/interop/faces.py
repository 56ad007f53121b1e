"""The reference's models as thin faces over `hrmlab.core`: its arguments, carries, outputs and names."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from hrmlab.core.act import Thinker, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.model import HRM
from hrmlab.halting import HaltingConfig
from hrmlab.interop.arch import Arch, evaluation_policy, model_config, task_spec, training_policy
from hrmlab.interop.names import places
from hrmlab.interop.renamed import Renamed
from hrmlab.interop.sparse import CastedSparseEmbedding


@dataclass
class InnerCarry:
    """The states, (B, slots + seq_len, hidden_size)."""

    z_H: Tensor
    z_L: Tensor


@dataclass
class ACTCarry:
    """The reference's carry.

    first_allowed: the segment from which each slot may halt; None lets `compat: sapient` draw it at every segment.
    """

    inner_carry: InnerCarry
    steps: Tensor
    halted: Tensor
    current_data: dict[str, Tensor]
    first_allowed: Tensor | None = None


class Inner(Renamed):
    """`model.inner`: the core under the reference's names, and its puzzle embedding as a module of its own."""

    core: HRM
    forward_core: Thinker
    """The core, or an engine around it."""

    def __init__(self, arch: Arch) -> None:
        core = HRM(model_config(arch), task_spec(arch))
        core.dtype = getattr(torch, arch.forward_dtype)
        names = places(core.state_dict(), arch)
        if core.puzzles is not None:
            dtype = torch.float32  # the core casts the whole input at once
            size = arch.num_puzzle_identifiers, arch.puzzle_emb_ndim, arch.batch_size
            core.puzzles = cast(Any, CastedSparseEmbedding(*size, init_std=0.0, cast_to=dtype))
            del names["puzzle_emb.weights"]
        super().__init__(core, names)
        self.__dict__["forward_core"] = core
        if core.puzzles is not None:
            self.puzzle_emb = core.puzzles

    def empty_carry(self, batch_size: int) -> InnerCarry:
        """States of no meaning, to be reset by `halted` slots."""
        core = self.core
        shape = (batch_size, core.embedding.slots + core.spec.seq_len, core.config.size.width)
        return InnerCarry(*(torch.empty(shape, dtype=core.compute_dtype, device=core.initial.device) for _ in "HL"))


class ReferenceModel(nn.Module):
    """What HRM and TRM share. Subclasses name the configuration class."""

    Config: type[Arch] = Arch

    def __init__(self, config_dict: dict[str, Any]) -> None:
        super().__init__()
        self.config = self.Config(**config_dict)
        self.inner = Inner(self.config)
        self._in_training = training_policy(self.config)
        self._in_evaluation = evaluation_policy(self.config)

    @property
    def puzzle_emb(self) -> CastedSparseEmbedding:
        """Raises AttributeError where the model has no puzzle embedding."""
        return cast(CastedSparseEmbedding, self.inner.puzzle_emb)

    @property
    def policy(self) -> HaltingConfig:
        """The halting policy of the present mode; the reference never halts early in evaluation."""
        return self._in_training if self.training else self._in_evaluation

    def initial_carry(self, batch: dict[str, Tensor]) -> ACTCarry:
        """A carry of halted slots: the first call fills them all."""
        slots, device = len(batch["inputs"]), batch["inputs"].device
        return ACTCarry(
            self.inner.empty_carry(slots),
            torch.zeros(slots, dtype=torch.int32, device=device),
            torch.ones(slots, dtype=torch.bool, device=device),
            {name: torch.empty_like(tensor) for name, tensor in batch.items()},
        )

    def forward(self, carry: ACTCarry, batch: dict[str, Tensor]) -> tuple[ACTCarry, dict[str, Tensor]]:
        """One segment. Halted slots take their row of `batch` first; the others keep the row that they carry."""
        policy = self.policy
        begun = self._refilled(carry, batch)
        step = segment(self.inner.forward_core, begun, policy)
        halt, go_on = step.view.values.unbind(-1)
        outputs = {"logits": step.output.logits, "q_halt_logits": halt, "q_continue_logits": go_on}
        if step.view.ahead is not None:
            outputs["target_q_continue"] = policy.continue_target(step.view)  # type: ignore[attr-defined]
        states = step.carry.states
        keep = None if policy.redraws else begun.first_allowed
        data = {
            name: torch.where(_as(carry.halted, tensor), batch[name], tensor)
            for name, tensor in carry.current_data.items()
        }
        after = ACTCarry(InnerCarry(states["high"], states["low"]), step.carry.steps, step.carry.halted, data, keep)
        return after, outputs

    def _refilled(self, carry: ACTCarry, batch: dict[str, Tensor]) -> Carry:
        core, policy, fresh = self.inner.core, self.policy, carry.halted
        drawn = policy.first_allowed(len(fresh), _generator(fresh.device)).to(fresh.device)
        kept = drawn if policy.redraws or carry.first_allowed is None else carry.first_allowed
        states = {"high": carry.inner_carry.z_H, "low": carry.inner_carry.z_L}
        ours = Carry(states, carry.steps, kept, fresh, _batch(carry.current_data))
        return ours.refill(core.initial_states(), _batch(batch), drawn)


def _generator(device: torch.device) -> torch.Generator:
    """torch's global generator, as the reference uses it."""
    return torch.default_generator


def _batch(data: dict[str, Tensor]) -> Batch:
    return Batch(data["inputs"], data["labels"], data["puzzle_identifiers"])


def _as(mask: Tensor, tensor: Tensor) -> Tensor:
    return mask.view(-1, *(1,) * (tensor.ndim - 1))
