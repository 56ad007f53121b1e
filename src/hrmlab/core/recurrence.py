"""Walking the table of updates."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hrmlab.attention.base import Context
from hrmlab.core.implicit import at_fixed_point
from hrmlab.core.joints import Joints
from hrmlab.core.rotary import RotaryTable
from hrmlab.core.schedule import INPUT, Schedule

States = dict[str, Tensor]
Observer = Callable[[str, tuple[int, int], Tensor], None]
"""Called as observer(site, (segment, update), tensor); absent, it costs nothing."""


def run(
    schedule: Schedule,
    networks: Mapping[str, nn.Module] | Any,
    states: States,
    inputs: Tensor,
    context: Context,
    observer: Observer | None = None,
    segment: int = 0,
    *,
    only: int | None = None,
    joints: Joints | None = None,
) -> States:
    """One segment: every row of the schedule in order.

    Args:
        networks: by the names that the rows use, each called as network(x, context).
        states: by level, of the shape of `inputs`, the last axis being the level's own width.
        inputs: the embedded puzzle.
        observer: sees, after each row, the level's new state under the level's name.
        only: how many leading positions the last row has to give; None for all.
        joints: what rows do before and after their network; None where they add and replace.

    Returns:
        New states; rows without gradient leave none in them.
    """
    joints = joints or Joints({}, {}, {}, {})
    recording, count = torch.is_grad_enabled(), len(schedule.updates)

    def walk(states: States, first: int, end: int) -> States:
        states = dict(states)
        for row, update in enumerate(schedule.updates[first:end], first):
            with torch.set_grad_enabled(recording and update.grad):
                before = states[update.target]
                sources = [inputs if source == INPUT else states[source] for source in update.sources]
                x = joints.enter(update, before, sources, context)
                some = (only,) if only is not None and row == count - 1 else ()
                states[update.target] = joints.leave(update, before, networks[update.network](x, context, *some))
            if observer is not None:
                observer(update.target, (segment, row), states[update.target])
        return states

    if not (recording and schedule.neumann):
        return walk(states, 0, count)
    arrived = count - sum(schedule.grad_calls().values())
    return at_fixed_point(lambda start: walk(start, arrived, count), walk(states, 0, arrived), schedule.neumann)


class Network(nn.Module):
    """A level's network: blocks one after the other, and what follows the last of them, if anything does.

    Args:
        rotary: the angles of its heads, where they are not those of the model's.

    Attributes:
        recompute: keep only each block's input for the backward pass, which computes the rest again.
    """

    def __init__(
        self, blocks: list[nn.Module], finish: nn.Module | None = None, rotary: RotaryTable | None = None
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.finish, self.rotary = finish, rotary
        self.recompute = False

    def forward(self, x: Tensor, context: Context, only: int | None = None) -> Tensor:
        """The shape of x is kept, but for the positions where `only` the leading ones are wanted."""
        if self.rotary is not None:
            context = self.rotary.context(context.mask)
        *blocks, last = self.blocks
        for block in blocks:
            x = self._through(block, x, context)
        leading = getattr(last, "leading", None)
        if only is None or leading is None or self.finish is not None:
            x = self._through(last, x, context)
            return (x if self.finish is None else self.finish(x, context))[:, :only]
        some: Tensor = leading(x, context, only)
        return some

    def _through(self, block: nn.Module, x: Tensor, context: Context) -> Tensor:
        if self.recompute and torch.is_grad_enabled():
            passed: Tensor = checkpoint(
                lambda state: block(state, context), x, use_reentrant=False, preserve_rng_state=False
            )
            return passed
        whole: Tensor = block(x, context)
        return whole
