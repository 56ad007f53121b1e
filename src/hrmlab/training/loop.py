"""The training loop: refill free slots, one segment, one optimiser step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.core.act import Objective, Step, objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.tasks.base import Tokens
from hrmlab.training.budget import Budget
from hrmlab.training.config import RunConfig
from hrmlab.training.ema import EMA
from hrmlab.training.engine import engine_of
from hrmlab.training.feeder import Feeder
from hrmlab.training.guard import Guard
from hrmlab.training.optimisers import build_optimisers


@dataclass
class Measures:
    """Sums over some segments, on the device: nothing is fetched until asked for."""

    steps: int
    terms: dict[str, Tensor]
    finished: Tensor
    exact: Tensor
    segments: Tensor

    def means(self, batch_size: int) -> dict[str, float]:
        """Losses for each slot and segment; accuracy and segments over the puzzles that were finished, if any were."""
        finished = float(self.finished)
        losses = {f"loss/{name}": float(total) / (self.steps * batch_size) for name, total in self.terms.items()}
        means = losses | {"loss": sum(losses.values()), "finished": finished}
        if finished:
            means |= {"exact": float(self.exact) / finished, "segments": float(self.segments) / finished}
        return means


class Trainer:
    """A run in progress. Everything that its future depends on is in its attributes (see `training.checkpoint`)."""

    def __init__(self, config: RunConfig, model: HRM, feeder: Feeder) -> None:
        self.config, self.model, self.feeder = config, model, feeder
        training = config.training
        self.engine: Eager | None = None
        model.recompute(training.recompute)
        self.optimisers = build_optimisers(training.optimiser, model)
        table = model.puzzles
        learned = None if table is None or not table.learned else table.rows
        self.row_optimiser = None if learned is None else training.puzzle_optimiser.build(learned)
        self.ema = EMA(model, training.ema, buffers=training.ema_buffers) if training.ema is not None else None
        self.budget = Budget(training)
        self.guard = Guard(training.guard)
        self.generator = torch.Generator().manual_seed(training.seed)
        self.device = model.initial.device
        cells = model.spec.seq_len
        blank = Batch(*(self._long(training.batch_size, *shape) for shape in ((cells,), (cells,), ())))
        self.carry: Carry = model.empty_carry(blank)
        self._measures: Measures | None = None

    def _long(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.int64, device=self.device)

    @property
    def evaluated_model(self) -> HRM:
        """The weights to evaluate and ship: the average where there is one."""
        averaged: HRM = self.ema.model if self.ema is not None else self.model  # type: ignore[assignment]
        return averaged

    def run(self, after_step: Callable[["Trainer"], bool]) -> None:
        """Train until the budget is spent or `after_step` returns False.

        The clock stands still inside `after_step`, so that evaluations and checkpoints cost no training time.
        """
        while self.budget.progress < 1.0:
            self.budget.go()
            self.step()
            self.budget.pause()
            if not after_step(self):
                return

    def step(self) -> None:
        """Fill free slots, run a segment (or several that gradient flows through), update the weights."""
        factor, window, before = self.budget.lr_factor(), self.config.training.segments_per_step, self._measures
        losses: list[Tensor] = []
        looked_up: list[tuple[Tensor, Tensor]] = []
        for number in range(self.budget.step * window, (self.budget.step + 1) * window):
            self.carry = self._refilled()
            if self.engine is None:  # here, so that what choosing and compiling take counts as training time
                self.engine = engine_of(self.config, self.model, self._try)
            step, goal = self._segment(self.engine, number, attached=len(losses) + 1 < window)
            self.carry = step.carry
            losses.append(goal.total)
            if (rows := step.output.puzzle_rows) is not None:
                looked_up.append((step.carry.batch.identifiers, rows))
            self._measure(goal)
        loss = torch.stack(losses).sum() / (window * self.config.training.batch_size)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.guard.admits(loss, self._gradients(looked_up)):
            self._update(looked_up, factor)
        else:
            self._measures = before
            self._give_up()
        self.budget.step += 1

    def _gradients(self, looked_up: list[tuple[Tensor, Tensor]]) -> Iterator[Tensor]:
        rows = (rows for _, rows in looked_up)
        yield from (of.grad for of in (*self.model.parameters(), *rows) if of.grad is not None)

    def _give_up(self) -> None:
        """Leave a step out: its gradient, and the puzzles at work, whose states may be no numbers."""
        self.model.zero_grad()
        self.carry = self.model.empty_carry(self.carry.batch)

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
        """The carry with new puzzles in its free slots: which are free is all that is fetched from the device."""
        free = self.carry.halted.cpu().numpy().nonzero()[0]
        halting, slots = self.config.halting, len(self.carry.batch)
        drawn = np.arange(slots) if halting.redraws else free
        first_allowed = torch.zeros(slots, dtype=self.carry.first_allowed.dtype)
        first_allowed[torch.from_numpy(drawn)] = halting.first_allowed(len(drawn), self.generator).to(first_allowed)
        rows = self.feeder.take(len(free))
        if self.config.data.drop_busy:
            self.feeder.take(slots - len(free))
        offered = Batch(*(self._spread(part, free, slots) for part in rows))
        sent = first_allowed.to(self.device)
        carry = replace(self.carry, first_allowed=sent) if halting.redraws else self.carry
        return carry.refill(self.model.initial_states(), offered, sent)

    def _spread(self, rows: Tokens, free: npt.NDArray[np.int64], slots: int) -> Tensor:
        """Rows at the free slots, zeros at the others; on the device."""
        spread = np.zeros((slots, *rows.shape[1:]), dtype=np.int64)
        spread[free] = rows
        return torch.from_numpy(spread).to(self.device)

    def _update(self, looked_up: list[tuple[Tensor, Tensor]], factor: float) -> None:
        """looked_up: identifiers, (B,), and their puzzle vectors, which know their gradients."""
        training = self.config.training
        if looked_up and self.model.puzzles is not None and self.row_optimiser is not None:
            lr = training.puzzle_lr * factor
            ids = self.model.puzzles.at(torch.cat([ids for ids, _ in looked_up]))
            gradients = torch.cat([rows.grad for _, rows in looked_up if rows.grad is not None])
            device = self.model.puzzles.rows.device
            self.row_optimiser.step(ids.to(device), gradients.to(device), lr, training.puzzle_weight_decay)
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
        if (before := self._measures) is not None:
            terms = dict(before.terms)
            for name, term in now.terms.items():  # not every step has every term: some look ahead, some do not
                terms[name] = terms[name] + term if name in terms else term
            now = Measures(
                before.steps + 1,
                terms,
                before.finished + now.finished,
                before.exact + now.exact,
                before.segments + now.segments,
            )
        self._measures = now

    def measures(self) -> dict[str, float]:
        """Means since the last call."""
        if self._measures is None:
            return {}
        means = self._measures.means(self.config.training.batch_size)
        self._measures = None
        return means
