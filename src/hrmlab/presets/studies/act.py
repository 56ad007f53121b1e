"""How a model learns when to stop: HRM's Q-learning (arXiv 2506.21734), cheaper forms of it, TRM's, and not at all.

The ARC Prize analysis found a few points between halting and none in training; the TRM paper 1.3 for the loss of
"continue". Evaluated at full depth, and stopping by the first head (`stopping`), which "none" never teaches.
"""

from hrmlab.presets.studies import small
from hrmlab.studies.plan import Allowance, Study
from hrmlab.studies.verdict import Question

QUESTIONS = (Question(), Question(measure="mean_segments", better="lower"))


def full() -> Study:
    """The paper's 27 M parameters on Sudoku-Extreme: an hour or two a run on a GPU."""
    return Study(
        name="act",
        base="hrm-sudoku-extreme",
        factors={
            "q_learning": {
                "look every 4": ("halting.target_every=4",),
                "look at none": ("halting.continue_weight=0",),
                "own next segment": ("halting.bellman=trajectory",),
                "no exploration": ("halting.exploration=0",),
                "explore half": ("halting.exploration=0.5",),
                "redraw": ("halting.redraw=true",),
            },
            "halting": _others(16),
        },
        evaluations=_stopping(16),
        questions=QUESTIONS,
        budget=Allowance(steps=26041),
    )


def quick() -> Study:
    """Five arms and nine seeds on 4x4 boards, about 7 minutes on a core."""
    return Study(
        name="act-quick",
        base=small.BASE,
        overrides=small.BOARD,
        factors={
            "q_learning": {
                "own next segment": ("halting.bellman=trajectory",),
                "no exploration": ("halting.exploration=0",),
            },
            "halting": _others(small.SEGMENTS),
        },
        evaluations=_stopping(small.SEGMENTS),
        questions=QUESTIONS,
        budget=small.STEPS,
        seeds=small.SEEDS,
    )


def _others(segments: int) -> dict[str, tuple[str, ...]]:
    return {kind: (f"halting={kind},max_segments={segments}",) for kind in ("correctness", "fixed")}


def _stopping(segments: int) -> dict[str, tuple[str, ...]]:
    return {"stopping": (f"evaluation=correctness,max_segments={segments}",)}
