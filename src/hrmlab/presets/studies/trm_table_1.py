"""Table 1 of the TRM paper (arXiv 2510.04871): the model without each of its parts, and HRM beside it.

Published on Sudoku-Extreme, one run each: TRM 87.4%, with the loss of "continue" 86.1, two networks 82.4, no average of
weights 79.9, four layers and n=3 79.5, attention 74.7, T=2 n=2 73.7, HRM 55.0, one-step gradient 56.5.
"""

from hrmlab.presets.studies import small
from hrmlab.studies.plan import Allowance, Study


def full() -> Study:
    """The published size on Sudoku-Extreme: about an hour a run on a large GPU."""
    return Study(
        name="trm-table-1",
        base="trm-mlp-sudoku-extreme",
        factors=_removals(high=3, low=6, layers=2, segments=16, fewer=(2, 2), hrm=(2, 2)),
        budget=Allowance(steps=65104),
    )


def quick() -> Study:
    """T=2, n=3 on 4x4 boards: nine arms and two seeds, about 8 minutes on a core."""
    return Study(
        name="trm-table-1-quick",
        base=small.BASE,
        overrides=(
            *small.BOARD,
            *small.TRANSFORMER,
            "model.schedule=trm",
            "model.schedule.high_cycles=2",
            "model.schedule.low_cycles=3",
            "model.block=mlp_mixer",
            "model.positions=none",
            f"halting=correctness,max_segments={small.SEGMENTS}",
        ),
        factors=_removals(high=2, low=3, layers=2, segments=small.SEGMENTS, fewer=(1, 2), hrm=(1, 2)),
        budget=Allowance(steps=400),
        seeds=(0, 1),
    )


def _removals(
    *, high: int, low: int, layers: int, segments: int, fewer: tuple[int, int], hrm: tuple[int, int]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """One change each. The one-step gradient goes through the last low and the last high update, as HRM's does."""
    attention = ("model.block=post_norm", "model.positions=rotary")
    q_learning = f"halting=q_learning,max_segments={segments}"
    twice, half = f"model.size.layers={2 * layers}", low // 2
    return {
        "loss of continue": {"with": (q_learning,)},
        "networks": {"two": (*_cycles("hrm", high, low), f"model.schedule.grad_window={low + 1}")},
        "average": {"none": ("training.ema=none",)},
        "layers": {f"{2 * layers}, n={half}": (twice, f"model.schedule.low_cycles={half}")},
        "mixing": {"attention": attention},
        "cycles": {f"T={fewer[0]}, n={fewer[1]}": _cycles("trm", *fewer)},
        "gradient": {"one step": ("model.schedule.grad_window=2",)},
        "all": {"HRM": (*_cycles("hrm", *hrm), twice, *attention, q_learning, "training.ema=none")},
    }


def _cycles(kind: str, high: int, low: int) -> tuple[str, ...]:
    return f"model.schedule={kind}", f"model.schedule.high_cycles={high}", f"model.schedule.low_cycles={low}"
