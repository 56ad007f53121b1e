"""Build an HRM from a schedule, parts and a size; run it for some segments on two Sudoku puzzles.

python examples/forward.py
"""

import torch

from hrmlab.analysis.tracing import batch_of, unroll
from hrmlab.blocks import PostNorm, Size
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMSchedule
from hrmlab.embeddings import Rotary, Tokens
from hrmlab.tasks import Sudoku

torch.manual_seed(0)
task = Sudoku(box_rows=2, box_cols=2)
config = ModelConfig(
    schedule=HRMSchedule(high_cycles=2, low_cycles=2),
    block=PostNorm(),
    embedding=Tokens(),
    positions=Rotary(),
    size=Size(width=64, layers=2, heads=4),
)
model = HRM(config, task.spec())
print(model.schedule.describe())
print(f"{model.parameter_count():,} parameters")

batch = batch_of(model, task.generate(train=2, test=1, seed=0).train)
for number, output in enumerate(unroll(model, batch, segments=3)):
    halt, go_on = output.values[0].tolist()
    right = (output.logits.argmax(-1) == batch.labels).float().mean()
    print(f"segment {number}: Q(halt) {halt:+.2f}, Q(continue) {go_on:+.2f}, {right:.0%} of cells right (untrained)")
