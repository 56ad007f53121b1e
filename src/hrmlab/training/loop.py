"""The training loop: refill free slots, one segment, one optimiser step."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.core.act import Objective, Step, objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.tasks.base import Tokens
from hrmlab.training.budget import Budget
from hrmlab.training.config import RunConfig
from hrmlab.training.ema import EMA
from hrmlab.training.engine import engine_of
from hrmlab.training.feeder import Feeder
from hrmlab.training.guard import Guard
from hrmlab.training.measures import Measures
from hrmlab.training.optimisers import build_optimisers
from hrmlab.training.parts import own
from hrmlab.training.ranks import ALONE, Ranks
from hrmlab.training.reducing import reduced
from hrmlab.training.sharding import ShardedTable

if TYPE_CHECKING:
    from hrmlab.training.fsdp import Sharded

SEEDS = 1_000_003
"""Between the seeds of processes."""


class Trainer:
    """A run in progress. Everything that its future depends on is in its attributes (see `training.checkpoint`)."""

    def __init__(self, config: RunConfig, model: HRM, feeder: Feeder, ranks: Ranks = ALONE) -> None:
        self.config, self.model, self.feeder, self.ranks = config, model, feeder, ranks
        training = config.training
        self.engine: Eager | None = None
        model.recompute(training.recompute)
        self.sharded = _spread_out(config, model, ranks) if ranks.several else None
        self._plain = self.sharded.shell if self.sharded is not None else model
        self.optimisers = build_optimisers(training.optimiser, model)
        table = model.puzzles
        learned = None if table is None or not table.learned else table.rows
        self.row_optimiser = None if learned is None else training.puzzle_optimiser.build(learned)
        self.ema = EMA(self._plain, training.ema, buffers=training.ema_buffers) if training.ema is not None else None
        self.budget = Budget(training)
        self.guard = Guard(training.guard)
        self.stopping = self._wishes = False
        """Whether the run ends before its budget does: any process wishes it, as they last told each other."""
        self._reduced = self.sharded or reduced(model, ranks)
        if ranks.several:
            self.budget.agree(0.0)
        self.generator = torch.Generator().manual_seed(training.seed)
        self.device = model.initial.device
        cells = model.spec.seq_len
        own = ranks.shares(training.batch_size)[ranks.number]
        blank = Batch(*(self._long(own, *shape) for shape in ((cells,), (cells,), ())))
        self.carry = self._empty(blank)
        self._measures: Measures | None = None

    def _long(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.int64, device=self.device)

    @property
    def evaluated_model(self) -> HRM:
        """The weights to evaluate and ship: the average where there is one."""
        averaged: HRM = self.ema.model if self.ema is not None else self._plain  # type: ignore[assignment]
        return averaged

    def lent(self, ids: Tokens) -> HRM:
        """`evaluated_model`, able to answer puzzles of these identifiers without the other processes."""
        model = self.evaluated_model if self.sharded is None else self.sharded.gathered(self.evaluated_model)
        if not isinstance(table := model.puzzles, ShardedTable):
            return model
        lent = copy.copy(model)
        lent._modules = dict(model._modules)
        lent.puzzles = table.some(torch.from_numpy(ids.astype(np.int64)))
        return lent

    def run(self, after_step: Callable[["Trainer"], bool]) -> None:
        """Train until the budget is spent or `after_step` returns False.

        The clock stands still inside `after_step`, so that evaluations and checkpoints cost no training time.
        """
        self.stopping = self._wishes = False
        while self.budget.progress < 1.0 and not self.stopping:
            self.budget.go()
            self.step()
            self.budget.pause()
            self._wishes = not after_step(self)
            self.stopping = self.stopping or (self._wishes and not self.ranks.several)

    def step(self) -> None:
        """Fill free slots, run a segment (or several that gradient flows through), update the weights."""
        factor, before = self.budget.lr_factor(), self._measures
        looked_up: list[tuple[Tensor, Tensor]] = []
        loss = self._reduced(lambda: self._loss(looked_up))
        loss.backward()  # type: ignore[no-untyped-call]
        if self.sharded is not None:
            self.sharded.release()
        if self.guard.admits(loss, self._gradients(looked_up), self.ranks):
            self._update(looked_up, factor)
        else:
            self._measures = before
            self._give_up()
        self.budget.step += 1

    def _loss(self, looked_up: list[tuple[Tensor, Tensor]]) -> Tensor:
        """What this process's slots add to the mean loss of all; identifiers and puzzle vectors go to `looked_up`."""
        window = self.config.training.segments_per_step
        losses: list[Tensor] = []
        for number in range(self.budget.step * window, (self.budget.step + 1) * window):
            self.carry = self._refilled()
            if self.engine is None:  # here, so that what choosing and compiling take counts as training time
                self.engine = engine_of(self.config, self.model, self._try, several=self.ranks.several)
            step, goal = self._segment(self.engine, number, attached=len(losses) + 1 < window)
            self.carry = step.carry
            losses.append(goal.total)
            if (rows := step.output.puzzle_rows) is not None:
                looked_up.append((step.carry.batch.identifiers, rows))
            self._measure(goal)
        return torch.stack(losses).sum() / (window * self.config.training.batch_size)

    def _gradients(self, looked_up: list[tuple[Tensor, Tensor]]) -> Iterator[Tensor]:
        rows = (rows for _, rows in looked_up)
        yield from (own(of.grad) for of in (*self.model.parameters(), *rows) if of.grad is not None)

    def _give_up(self) -> None:
        """Leave a step out: its gradient, and the puzzles at work, whose states may be no numbers."""
        self.model.zero_grad()
        self.carry = self._empty(self.carry.batch)

    def _empty(self, batch: Batch) -> Carry:
        if self.sharded is None:
            return self.model.empty_carry(batch)
        return self.sharded.aside(lambda: self.model.empty_carry(batch))

    def _segment(self, engine: Eager, number: int, *, attached: bool = False) -> tuple[Step, Objective]:
        """A segment and its losses. attached: gradient goes on into the next one's."""
        config = self.config
        step = segment(engine, self.carry, config.halting, number=number, check=config.task.valid, attached=attached)
        return step, objective(step, config.loss, config.halting)

    def _try(self, engine: Eager) -> None:
        """A segment with its backward pass; nothing is updated."""
        goal = self._segment(engine, self.budget.step)[1]
        goal.total.backward()  # type: ignore[no-untyped-call]
        self.model.zero_grad()

    def _refilled(self) -> Carry:
        """The carry with new puzzles in its free slots: which are free is all that is fetched from the device.

        Every process draws for all of them, from equal generators, and takes its own: what a slot works on does not
        depend on how many processes there are.
        """
        free = self._meet().cpu().numpy().nonzero()[0]
        halting, slots = self.config.halting, self.config.training.batch_size
        drawn = np.arange(slots) if halting.redraws else free
        first_allowed = torch.zeros(slots, dtype=self.carry.first_allowed.dtype)
        first_allowed[torch.from_numpy(drawn)] = halting.first_allowed(len(drawn), self.generator).to(first_allowed)
        rows = self.feeder.take(len(free))
        if self.config.data.drop_busy:
            self.feeder.take(slots - len(free))
        offered = Batch(*(self._spread(part, free, slots) for part in rows))
        sent = first_allowed[self.ranks.own(slots)].to(self.device)
        carry = replace(self.carry, first_allowed=sent) if halting.redraws else self.carry
        return carry.refill(self.model.initial_states(), offered, sent)

    def _spread(self, rows: Tokens, free: npt.NDArray[np.int64], slots: int) -> Tensor:
        """Rows at the free slots, zeros at the others; this process's, on the device."""
        spread = np.zeros((slots, *rows.shape[1:]), dtype=np.int64)
        spread[free] = rows
        return torch.from_numpy(spread[self.ranks.own(slots)]).to(self.device)

    def _meet(self) -> Tensor:
        """Which slots of all processes are free, (batch_size,). They tell each other the time and their wishes too."""
        if not self.ranks.several:
            return self.carry.halted
        told = torch.tensor([self.budget.clock, self._wishes], dtype=torch.float64, device=self.device)
        message = torch.cat([told.view(torch.uint8), self.carry.halted.view(torch.uint8)])
        shares = self.ranks.shares(self.config.training.batch_size)
        lengths = [len(message) - len(self.carry.halted) + share for share in shares]
        heard = torch.split(self.ranks.all(message, lengths).cpu(), lengths)
        said = torch.stack([part[: told.nbytes] for part in heard]).view(torch.float64)
        self.budget.agree(float(said[0, 0]))
        self.stopping = bool(said[:, 1].any())
        return torch.cat([part[told.nbytes :] for part in heard]).bool()

    def _update(self, looked_up: list[tuple[Tensor, Tensor]], factor: float) -> None:
        """looked_up: identifiers, (B,), and their puzzle vectors, which know their gradients."""
        training = self.config.training
        if looked_up and self.model.puzzles is not None and self.row_optimiser is not None:
            lr = training.puzzle_lr * factor
            table = self.model.puzzles
            at = table.at(torch.cat([ids for ids, _ in looked_up])).to(table.rows.device)
            gradients = torch.cat([rows.grad for _, rows in looked_up if rows.grad is not None]).to(table.rows.device)
            if isinstance(table, ShardedTable):
                at, gradients = table.gradients(at, gradients)
            else:
                at, gradients = self.ranks.all(at), self.ranks.all(gradients)
            self.row_optimiser.step(at, gradients, lr, training.puzzle_weight_decay)
        if training.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), training.clip)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak_lr"] * factor
            optimiser.step()
            optimiser.zero_grad()
        if self.ema is not None:
            self.ema.update(self.model)

    def _measure(self, goal: Objective) -> None:
        done = self.carry.halted
        now = Measures(1, goal.terms, done.sum(), (goal.exact & done).sum(), (self.carry.steps * done).sum())
        self._measures = now if self._measures is None else self._measures.and_(now)

    def measures(self) -> dict[str, float]:
        """Means since the last call."""
        if self._measures is None:
            return {}
        means = self._measures.over(self.ranks).means(self.config.training.batch_size)
        self._measures = None
        return means


def _spread_out(config: RunConfig, model: HRM, ranks: Ranks) -> "Sharded | None":
    """Make a model one of several processes': its own draws, its part of the puzzle table and of the weights."""
    if (slots := config.training.batch_size) < ranks.count:
        raise ConfigError(f"training.batch_size={slots} came for {ranks.count} processes; wanted a slot for each")
    if ranks.number:
        torch.manual_seed(config.training.seed + SEEDS * ranks.number)
    table = model.puzzles
    if config.training.shard_puzzles and table is not None and table.learned:
        model.puzzles = ShardedTable(table, ranks)
    if not config.training.shard_weights:
        return None
    from hrmlab.training.fsdp import Sharded  # of those torches that have it

    return Sharded(config, model, ranks)
