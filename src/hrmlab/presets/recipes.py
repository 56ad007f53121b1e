"""The numbers of the CPU presets, all in this one place.

A recipe holds what is tuned for a task on two CPU cores; what the presets share stands in `presets.sudoku` and
`presets.maze`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Numbers of one run.

    train, test: puzzles to generate.
    seconds: training time.
    cycles: updates in a segment (single-state models).
    segments, evaluation_segments: the most a puzzle may take in training and in evaluation, where it may go on for
        longer: it stops by itself.
    lr, rest_lr: peak learning rates of Muon's matrices and of everything else.
    exploration: share of training sequences that go on past their solution.
    threshold: in evaluation, the probability of a right answer at which a puzzle stops.
    restart_every: segments after which a puzzle that is not solved by then is begun again from random states.
    hard_share: share of the generated training puzzles that are rated 8 guesses or more (Sudoku).
    checkpoint_every: steps; evaluate_every: seconds.
    """

    train: int
    test: int
    seconds: float
    width: int = 24
    layers: int = 1
    cycles: int = 6
    expansion: float = 4.5
    segments: int = 8
    evaluation_segments: int = 256
    restart_every: int | None = 16
    hard_share: float = 0.0
    batch_size: int = 16
    lr: float = 0.01
    rest_lr: float = 3e-3
    ema: float = 0.99
    exploration: float = 0.1
    threshold: float = 0.98
    checkpoint_every: int = 2000
    evaluate_every: float | None = None


SUDOKU_4X4 = Recipe(train=2000, test=500, seconds=30)
SUDOKU_6X6 = Recipe(train=10000, test=1000, seconds=120)
SUDOKU_9X9 = Recipe(
    train=20000,
    test=1000,
    seconds=560,
    hard_share=0.5,
    evaluation_segments=512,
    restart_every=64,
    evaluate_every=120,
    threshold=0.95,
)
SUDOKU_9X9_EASY = Recipe(train=20000, test=1000, seconds=300, evaluate_every=60)
SUDOKU_9X9_HARD = Recipe(
    train=60000,
    test=1000,
    seconds=7200,
    evaluation_segments=512,
    restart_every=64,
    evaluate_every=600,
    threshold=0.95,
)
EASY_GIVENS = 40
HARD_RATING = 32

HRM_SUDOKU_4X4 = Recipe(train=2000, test=500, seconds=60, evaluation_segments=16)
HRM_SUDOKU_6X6 = Recipe(train=10000, test=1000, seconds=240, evaluation_segments=16, evaluate_every=40)

MAZE_9X9 = Recipe(
    train=10000, test=500, seconds=1200, lr=0.005, exploration=0.5, evaluation_segments=64, evaluate_every=300
)
MAZE_30X30_HARD = Recipe(
    train=5000, test=500, seconds=1200, lr=0.005, exploration=0.5, evaluation_segments=128, evaluate_every=240
)
