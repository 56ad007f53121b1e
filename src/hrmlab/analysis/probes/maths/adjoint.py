"""The adjoint of a fixed point z = F(z), F one segment: u = v + J'u by fixed-point iteration, J'u by back-propagation.

Bai et al. 2019, arXiv 1909.01377 (deep equilibrium models). The solution turns the gradient of the loss by the state
into the exact ("implicit") gradient by the parameters; one term of its series is back-propagation through one segment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hrmlab.analysis.probes.maths.gradients import Gradients, by_group, learn, pulled
from hrmlab.analysis.probes.maths.slots import fresh_slots
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import with_gradient
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.model import HRM

Vectors = tuple[Tensor, ...]
"""One tensor for each level, (B, ...)."""


@dataclass(frozen=True)
class Solution:
    """u, and its series term by term.

    terms: |v|, |J'v|, |J'J'v|, ..., (J + 1, B). residuals: each but the first over the length of the sum before it.
    """

    vectors: Vectors
    terms: Tensor
    residuals: Tensor

    def settled(self, tolerance: float) -> Tensor:
        """(B,) booleans: whose last residual is below that."""
        return self.residuals[-1] < tolerance

    def rate(self, tolerance: float) -> Tensor:
        """(B,): mean factor from a term to the next in the second half of those that count; NaN where v is zero.

        Those count that come before the residual falls below the tolerance (later ones are rounding) and are finite.
        """
        below = torch.cat((self.residuals < tolerance, torch.ones_like(self.residuals[:1], dtype=torch.bool)))
        end = torch.minimum(below.int().argmax(0) + 1, self.terms.isfinite().sum(0) - 1).clamp_min(1)
        first, last = (self.terms.gather(0, at[None])[0] for at in (end // 2, end))
        return (last / first) ** (1 / (end - end // 2))


def solve(pull: Callable[[Vectors], Vectors], v: Vectors, iterations: int, tolerance: float) -> Solution:
    """Sum u = v + J'v + J'J'v + ... until every residual is below the tolerance. pull: multiplies by J'."""
    u = term = v
    terms: list[Tensor] = [_lengths(v)]
    residuals: list[Tensor] = []
    for _ in range(iterations):
        term = pull(term)
        terms.append(_lengths(term))
        residual = terms[-1] / _lengths(u).clamp_min(torch.finfo(torch.float32).tiny)
        if residuals:  # a series that has left float32 goes on as it did
            residual = torch.where(residual.isfinite(), residual, residuals[-1])
        residuals.append(residual)
        u = tuple(a + b for a, b in zip(u, term, strict=True))
        if not (residuals[-1] >= tolerance).any():
            break
    return Solution(u, torch.stack(terms), torch.stack(residuals))


def _lengths(vectors: Sequence[Tensor]) -> Tensor:
    """(B,) over all levels together."""
    return torch.stack([v.float().flatten(1).square().sum(1) for v in vectors]).sum(0).sqrt()


@dataclass(frozen=True)
class Linearised:
    """One segment of a model around states, all rows with gradient.

    slots: what it began from. before, after: states by level. loss: sum over the puzzles.
    rows: looked-up puzzle vectors.
    """

    model: HRM
    slots: Carry
    before: Vectors
    after: Vectors
    answer: int
    loss: Tensor
    rows: Tensor | None

    def pull(self, u: Vectors) -> Vectors:
        """J'u, for u of the shape of the states."""
        return pulled(self.after, self.before, u, keep=True)

    def pressure(self) -> Vectors:
        """v: the gradient of the loss by the states after the segment, of which it reads the answer level's alone."""
        (gradient,) = pulled([self.loss], [self.after[self.answer]], keep=True)
        return tuple(
            gradient if number == self.answer else torch.zeros_like(state) for number, state in enumerate(self.after)
        )

    def residual(self) -> Tensor:
        """(B,): |F(z) - z| / |z|, how far from a fixed point the states are."""
        change = [b.detach() - a.detach() for a, b in zip(self.before, self.after, strict=True)]
        return _lengths(change) / _lengths([a.detach() for a in self.before]).clamp_min(1e-12)

    def implicit(self, u: Vectors) -> Gradients:
        """The mean loss's gradient by the parameters if the states are a fixed point: v becomes u."""
        count = len(self.slots.batch)
        through = by_group([self.loss / count], self.model, self.rows, keep=True)
        more = [(a - b) / count for a, b in zip(u, self.pressure(), strict=True)]
        rest = by_group(self.after, self.model, self.rows, along=more, keep=True)
        return {group: through[group] + rest[group] for group in through}


def linearised(subject: Subject, batch: Batch) -> Linearised:
    """The last segment of a full run of the batch."""
    model, carry = with_gradient(subject.model), fresh_slots(subject, batch)
    with torch.no_grad():
        states = carry.states
        for _ in range(subject.segments - 1):
            states = subject.model(states, batch).states
    before = {level: state.detach().clone().requires_grad_() for level, state in states.items()}
    carry = replace(carry, states=before, steps=carry.steps + subject.segments - 1)
    step, goal = learn(subject, model, carry)
    levels = list(model.schedule.levels)
    after = tuple(step.output.states[level] for level in levels)
    answer = levels.index(step.output.answer)
    return Linearised(
        model, carry, tuple(before[n] for n in levels), after, answer, goal.total, step.output.puzzle_rows
    )
