"""The ARC Prize Foundation's questions to HRM, on Sudoku.

Theirs were asked on ARC-AGI-1 (arcprize.org/blog/hrm-analysis, 15 August 2025): the hierarchy hardly matters, any inner
cycles but (2, 2) are worse, the outer loop is what counts and matters in training, halting matters little, and so
does augmentation beyond a few hundred variants. The rows are theirs; the columns are segments in evaluation. The
single level of two networks' layers is matched in parameters; run three times a segment, in operations too.
"""

from hrmlab.presets.studies import small
from hrmlab.studies.plan import Allowance, Study

Levels = dict[str, tuple[str, ...]]


def full() -> Study:
    """The paper's 27 M parameters on 1,000 generated hard 9x9 boards, their symmetries drawn anew each time: hours a
    run on a GPU."""
    return Study(
        name="arc-prize",
        base="hrm-sudoku-extreme",
        overrides=("data.path=none", "task.rating_min=8", "data.augment=true"),
        factors=_factors(layers=4, segments=(1, 2, 4, 8), deepest=16),
        evaluations=_depths(1, 2, 4, 8, 32, 64) | _pools(2, 8, 32, vary="symmetry"),
        budget=Allowance(steps=26041),
    )


def quick() -> Study:
    """Eight arms and nine seeds on 100 boards of 4x4, about 20 minutes on a core.

    The parts are equivariant under all symmetries of the board, so that votes of turned boards would all be one vote:
    they differ in their initial states instead. For the same reason nothing is expected of augmentation.
    """
    factors = _factors(layers=1, segments=(1, 2), deepest=small.SEGMENTS)
    factors["cycles"] = {"1 x 1": factors["cycles"]["1 x 1"]}
    return Study(
        name="arc-prize-quick",
        base=small.BASE,
        overrides=(*small.BOARD, "data.train=100", "data.augment=true"),
        factors=factors,
        evaluations=_depths(1, 2, 4, 16) | _pools(2, 8, vary="start"),
        budget=small.STEPS,
        seeds=small.SEEDS,
    )


def _factors(*, layers: int, segments: tuple[int, ...], deepest: int) -> dict[str, Levels]:
    one = ("model.schedule=single_state", f"model.size.layers={2 * layers}", "model.schedule.grad_window=1")
    return {
        "level": {
            "one, same parameters": (*one, "model.schedule.cycles=1"),
            "one, same operations too": (*one, "model.schedule.cycles=3"),
        },
        "cycles": {
            f"{high} x {low}": (f"model.schedule.high_cycles={high}", f"model.schedule.low_cycles={low}")
            for high, low in ((1, 1), (1, 4), (4, 1), (4, 4))
        },
        "segments": {str(number): (f"halting.max_segments={number}",) for number in segments},
        "halting": {"none": (f"halting=fixed,max_segments={deepest}",)},
        "augmentation": {"none": ("data.augment=false",)},
    }


def _depths(*segments: int) -> dict[str, tuple[str, ...]]:
    return {str(number): (f"evaluation=fixed,max_segments={number}",) for number in segments}


def _pools(*attempts: int, vary: str) -> dict[str, tuple[str, ...]]:
    """So many answers to each puzzle that vote. Theirs were of the puzzle's augmentations, up to a thousand."""
    return {f"{number} votes": (f"voting.attempts={number}", f"voting.vary={vary}") for number in attempts}
