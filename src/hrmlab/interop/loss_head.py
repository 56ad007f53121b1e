"""The reference's loss head: losses and metrics of one call, summed over the batch."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.interop.arch import loss
from hrmlab.interop.faces import ACTCarry, ReferenceModel
from hrmlab.losses import IGNORE


class ACTLossHead(nn.Module):
    """Wraps a model for the reference's training loop.

    Args:
        loss_type: `stablemax_cross_entropy` or `softmax_cross_entropy`.
    """

    def __init__(self, model: ReferenceModel, loss_type: str) -> None:
        super().__init__()
        self.model, self.loss_fn = model, loss(loss_type)

    def initial_carry(self, *args: Any, **kwargs: Any) -> ACTCarry:
        return self.model.initial_carry(*args, **kwargs)

    def forward(
        self, return_keys: Sequence[str], **model_kwargs: Any
    ) -> tuple[ACTCarry, Tensor, dict[str, Tensor], dict[str, Tensor], Tensor]:
        """One segment.

        Returns:
            The new carry, the loss (a sum over the batch: divide it by the batch size), metrics as sums over the slots
            that have halted, the outputs asked for without gradient, and whether every slot has halted.
        """
        carry, outputs = self.model(**model_kwargs)
        labels = carry.current_data["labels"]
        outputs["preds"] = outputs["logits"].argmax(-1)
        right = (outputs["preds"] == labels) & (labels != IGNORE)
        counted = (labels != IGNORE).sum(-1)
        share = right.sum(-1) / counted.clamp_min(1)
        exact = right.sum(-1) == counted
        losses = self._losses(outputs, labels, counted, exact)
        valid = carry.halted & (counted > 0)
        metrics = {
            "count": valid.sum(),
            "accuracy": torch.where(valid, share, 0).sum(),
            "exact_accuracy": (valid & exact).sum(),
            "q_halt_accuracy": (valid & ((outputs["q_halt_logits"] >= 0) == exact)).sum(),
            "steps": torch.where(valid, carry.steps, 0).sum(),
        }
        metrics |= {name: term.detach() for name, term in losses.items()}
        total = losses["lm_loss"] + 0.5 * (losses["q_halt_loss"] + losses.get("q_continue_loss", 0))
        asked = {name: outputs[name].detach() for name in return_keys if name in outputs}
        return carry, total, metrics, asked, carry.halted.all()

    def _losses(self, outputs: dict[str, Tensor], labels: Tensor, counted: Tensor, exact: Tensor) -> dict[str, Tensor]:
        """Sums over the batch, unweighted. `exact` holds for rows without labels too, as in the reference."""
        tokens = self.loss_fn(outputs["logits"], labels) / counted.clamp_min(1)[:, None]
        losses = {"lm_loss": tokens.sum(), "q_halt_loss": _bce(outputs["q_halt_logits"], exact.float())}
        if "target_q_continue" in outputs:
            losses["q_continue_loss"] = _bce(outputs["q_continue_logits"], outputs["target_q_continue"])
        return losses


def _bce(logits: Tensor, targets: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
