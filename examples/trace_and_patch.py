"""Look inside a trained model, then disturb what it thinks: does it find back?

    python examples/trace_and_patch.py

Records the high state by address to see it settle, then runs the same puzzles again with one level's state replaced by
as much noise, once, in the fourth segment.
"""

import torch
from torch import Tensor

from hrmlab.analysis.tracing import batch_of, hooks, trace
from hrmlab.analysis.tracing.patches import replaced
from hrmlab.api.puzzles import held_out
from hrmlab.api.targets import find_run

SEGMENTS, PUZZLES = 10, 64

torch.set_num_threads(1)
run = find_run("hrm-sudoku-6x6")
model = run.load(torch.device("cpu"))
batch = batch_of(model, held_out(run.config, quiet=True)[0].part(slice(PUZZLES)))


def solved() -> str:
    """Share of the puzzles whose answer is wholly right, segment by segment."""
    found = trace(model, batch, "logits", SEGMENTS)
    right: Tensor = (found.logits.argmax(-1) == batch.labels[:, None]).all(-1)
    return "".join(f"{share:5.0%}" for share in right.float().mean(0))


recorded = trace(model, batch, "h1/high.state", SEGMENTS, reduce=None)
states = recorded.stacked("h1/high.state")
moved = (states[1:] - states[:-1]).flatten(2).norm(dim=-1).mean(-1)
print(f"{len(recorded)} activations, from {min(recorded)} to {max(recorded)}")
print("how far the high state moves from segment to segment:", *(f"{step:.1f}" for step in moved))
print("solved, by segment:                   ", solved())
for place in ("seg3/row4/low.state", "seg3/row2/high.state"):
    with hooks(model, forward=[(place, replaced("noise"))], segments=SEGMENTS):
        print(f"solved, noise at {place:<21}", solved())
