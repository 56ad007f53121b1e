"""The training loop, flat: slots, carry, one segment and one optimiser step at a time. Nothing hidden.

    python examples/train.py            # about ten seconds on one CPU core

`hrmlab.training.loop` is this with engines, averages of the weights, checkpoints and budgets around it.
"""

from dataclasses import replace

import torch
from torch import Tensor

from hrmlab.core.act import objective, segment
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.inference.evaluate import evaluate
from hrmlab.presets import preset
from hrmlab.training.feeder import Feeder

STEPS, SLOTS = 150, 16

torch.manual_seed(0)
torch.set_num_threads(1)
config = preset("sudoku-4x4").make()
puzzles = config.task.generate(train=1000, test=100, seed=0)
model = HRM(config.model, config.task.spec())
feeder = Feeder(puzzles.train, seed=0)
optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
generator = torch.Generator().manual_seed(0)


def offered(busy: Batch, free: Tensor) -> Batch:
    """New puzzles at the free slots; a slot that is still at work is offered none, so that none is lost."""
    rows = [part.clone() for part in (busy.inputs, busy.labels, busy.identifiers)]
    for row, new in zip(rows, feeder.take(int(free.sum())), strict=True):
        row[free] = torch.from_numpy(new).long()
    return Batch(*rows)


cells = config.task.spec().seq_len
blank = Batch(*(torch.zeros(SLOTS, *shape, dtype=torch.long) for shape in ((cells,), (cells,), ())))
carry = model.empty_carry(blank)  # every slot is free
for step in range(1, STEPS + 1):
    first_allowed = config.halting.first_allowed(SLOTS, generator)
    carry = carry.refill(model.initial_states(), offered(carry.batch, carry.halted), first_allowed)
    done = segment(model, carry, config.halting)
    goal = objective(done, config.loss, config.halting)
    (goal.total / SLOTS).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad()
    carry = done.carry  # states detached; halted slots take a new puzzle in the next round
    if step % 25 == 0:
        solved = goal.exact.float().mean()
        print(f"step {step}: loss {goal.total.item() / SLOTS:.3f}, {solved:.0%} of the slots hold a right answer")

scores = evaluate(model.eval(), config.task, puzzles.test, replace(config.evaluation, max_segments=16))
print(
    f"held out: {scores.exact:.1%} of {scores.n} puzzles exactly right, {scores.mean_segments:.1f} segments in the mean"
)
