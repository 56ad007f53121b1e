"""What a state stands for, and how it knows where it stands.

The reference has one state a cell, mixed with its row, column and box; the board is in the block, so that it needs no
positions. Against it: states of cells x digits, for which relabelling digits changes nothing; learned positions; and
attention, which knows the board by its positions alone.
"""

from hrmlab.presets.studies import small
from hrmlab.studies.plan import Allowance, Study

FACTORS: dict[str, dict[str, tuple[str, ...]]] = {
    "states": {"cells x digits": ("model.embedding=symbols",)},
    "positions": {kind: (f"model.positions={kind}",) for kind in ("learned", "learned_2d")},
    "attention": {
        kind: ("model.block=post_norm", f"model.positions={kind}")
        for kind in ("learned", "learned_2d", "rotary", "rotary_2d")
    },
}


def full() -> Study:
    """9x9 boards, seconds and width as the preset's, in steps: a quarter of an hour a run on a core."""
    return Study(
        name="embedding",
        base="sudoku-9x9",
        overrides=("model.embedding=tokens", "model.size.width=64", "model.size.heads=4", "training.engine=eager"),
        factors=FACTORS,
        budget=Allowance(steps=20000),
    )


def quick() -> Study:
    """Four arms and nine seeds on 4x4 boards, about 5 minutes on a core."""
    return Study(
        name="embedding-quick",
        base="sudoku-4x4",
        overrides=(*small.BOARD, "model.embedding=tokens", "model.size.width=48", "model.size.heads=4"),
        factors=FACTORS
        | {
            "positions": {"learned": FACTORS["positions"]["learned"]},
            "attention": {"rotary_2d": FACTORS["attention"]["rotary_2d"]},
        },
        budget=small.STEPS,
        seeds=small.SEEDS,
    )
