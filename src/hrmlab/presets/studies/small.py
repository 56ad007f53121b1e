"""What the reduced studies share: a small transformer over the cells of a 4x4 Sudoku, far from solving all of them.

A step is tens of milliseconds on one core. Such a study shows the form of the full one; its effects are its own.
"""

from hrmlab.studies.plan import Allowance

BASE = "hrm-sudoku-4x4"
SEGMENTS = 8
STEPS = Allowance(steps=500)
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
MODEL = (
    "model.block=post_norm",
    "model.embedding=tokens",
    "model.positions=rotary",
    "model.size.width=48",
    "model.size.layers=2",
    "model.size.heads=4",
    "model.size.expansion=4",
    "model.size.round_to=8",
)
