"""Table 3 of the URM paper (arXiv 2512.14693): a looped transformer trained through its last loops only.

Published on ARC-AGI-1, pass@1, two layers without convolution, eight loops: gradient through all 36.25, through the
last seven 37.75, six 39.13, five 39.50, four 38.75, three 36.88, two 34.25, one 22.50.
"""

from collections.abc import Iterable
from dataclasses import replace

from hrmlab.presets.studies import small
from hrmlab.studies.plan import Allowance, Study


def full() -> Study:
    """Two layers of TRM's size, eight loops, on Sudoku-Extreme: about an hour a run on a large GPU."""
    return _study(
        "urm-loops", "trm-sudoku-extreme", (), loops=8, windows=range(7, 0, -1), budget=Allowance(steps=65104)
    )


def quick() -> Study:
    """Four loops on 4x4 boards, gradient through four, two and one: nine seeds each, about 4 minutes on a core."""
    overrides = (*small.BOARD, f"halting=correctness,max_segments={small.SEGMENTS}")
    study = _study("urm-loops-quick", small.BASE, overrides, loops=4, windows=(2, 1), budget=small.STEPS)
    return replace(study, seeds=small.SEEDS)


def _study(
    name: str, base: str, overrides: tuple[str, ...], *, loops: int, windows: Iterable[int], budget: Allowance
) -> Study:
    schedule = ("model.schedule=universal", f"model.schedule.loops={loops}", f"model.schedule.grad_loops={loops}")
    gradient: dict[str, tuple[str, ...]] = {
        f"last {number} of {loops}": (f"model.schedule.grad_loops={number}",) for number in windows
    }
    return Study(name=name, base=base, overrides=(*overrides, *schedule), factors={"gradient": gradient}, budget=budget)
