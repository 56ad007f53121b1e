"""What the policies share that learn a distribution over exits: at each segment a probability of stopping there.

In the papers an expected loss, sum over n of p_n L_n with p_n = lambda_n prod_{j<n} (1 - lambda_j), is differentiated
through all segments at once. Here every segment is a training step of its own and its past is detached, so the future
enters as a prediction: the head's second output U_n is what the answer will cost if the sequence goes on. Of


    S_n [lambda_n L_n + (1 - lambda_n) U_n],    S_n = prod_{j<n} (1 - lambda_j),    L_n and U_n held fixed,

the gradient by lambda_n is that of the expected loss. U is learned from the sequence's own next segment, on the state
that it saw: U_{n-1} <- lambda_n L_n + (1 - lambda_n) U_n, and L_n where n is the last.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from hrmlab.halting.base import HaltingView, Memory, Outcome


def exit_probability(view: HaltingView, last: Tensor) -> Tensor:
    """lambda_n, (B,): the probability of stopping now, having come so far; 1 at the last segment."""
    return torch.where(last, 1.0, view.values[:, 0].sigmoid())


def survival(view: HaltingView) -> Tensor:
    """S_n, (B,): the probability of having come so far."""
    return view.recall("survival", torch.ones_like(view.values[:, 0]))


def remember_survival(view: HaltingView) -> Memory:
    return {"survival": (survival(view) * (1 - view.values[:, 0].sigmoid())).detach()}


def expected_loss(view: HaltingView, outcome: Outcome, last: Tensor) -> tuple[Tensor, Tensor]:
    """The expected loss from here on, (B,), differentiable by lambda_n; and the loss of predicting it, (B,)."""
    stop = exit_probability(view, last)
    future = view.values[:, 1].detach()
    expected = stop * outcome.loss + (1 - stop) * future
    if view.earlier is None:
        return expected, torch.zeros_like(expected)
    surprise = F.smooth_l1_loss(view.earlier[:, 1], expected.detach(), reduction="none")
    return expected, torch.where(view.begins, 0.0, surprise)
