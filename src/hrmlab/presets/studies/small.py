"""What the reduced studies share: 4x4 Sudoku, and a budget that ends where models begin to solve it.

A step is tens of milliseconds on one core. The base is HRM with relational parts, which learn within that budget, where
transformers solve nothing: an effect can be seen. It is the effect in such a small model early in its training.
"""

from hrmlab.studies.plan import Allowance

BASE = "hrm-sudoku-4x4"
SEGMENTS = 8
STEPS = Allowance(steps=130)
SEEDS = tuple(range(9))
BOARD = (
    f"halting.max_segments={SEGMENTS}",
    f"evaluation=fixed,max_segments={SEGMENTS}",
    "data.train=1000",
    "data.test=300",
    "training.batch_size=32",
    "training.engine=eager",
    "training.evaluate_every=5",
    "training.evaluate_puzzles=100",
    "training.checkpoint_every=200",
)
TRANSFORMER = (
    "model.block=post_norm",
    "model.embedding=tokens",
    "model.positions=rotary",
    "model.size.width=48",
    "model.size.layers=2",
    "model.size.heads=4",
    "model.size.expansion=4",
    "model.size.round_to=8",
)
