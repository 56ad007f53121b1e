"""`variations` on mazes: one change at a time of a small maze model, equal operations, all on one core.

Mazes of 4x4 rooms (9x9 cells): the base's budget ends where it has just learnt to find nearly every shortest path.
Expected before the first run: what sees only its neighbours needs updates in number, not attention; hierarchies cost,
as in Sudoku; and the gradient window matters less, since a path grows by the same step everywhere.
"""

from dataclasses import replace

from hrmlab.presets.studies.small import SEEDS
from hrmlab.studies.plan import Allowance, Study

SEGMENTS = 8
BOARD = (
    "task.rows=4",
    "task.columns=4",
    "data.train=2000",
    "data.test=300",
    "training.engine=eager",
    "evaluation=fixed,max_segments=16",
)
ATTENTION = ("model.block=post_norm", "model.size.width=48", "model.size.heads=4")


def full() -> Study:
    """Seventeen arms and ten seeds, the fewest that can show an effect among so many: two hours on a core."""
    return Study(
        name="variations-maze",
        base="maze-9x9",
        overrides=BOARD,
        factors={
            "mixing": {
                "attention": (*ATTENTION, "model.positions=rotary_2d"),
                "attention by neighbours": (*ATTENTION, "model.block.attention=relational"),
                "attention in windows": (*ATTENTION, "model.block.attention=windowed", "model.positions=rotary_2d"),
                "mlp": ("model.block=mlp_mixer", "model.size.width=48"),
                "attention and convolution": (*ATTENTION, "model.block=conv_swiglu", "model.positions=rotary_2d"),
            },
            "levels": {
                "2, one network": ("model.schedule=trm", "model.schedule.high_cycles=2", "model.schedule.low_cycles=2"),
                "2, two networks": ("model.schedule=hrm",),
                "3, three networks": ("model.schedule=levels",),
            },
            "gradient": {f"last {rows} of 6": (f"model.schedule.grad_window={rows}",) for rows in (1, 2, 4)}
            | {
                "last 2 of 6, a fixed point's": ("model.schedule.grad_window=2", "model.schedule.neumann=1"),
                "across 2 segments": ("training.segments_per_step=2",),
            },
            "halting": {"none in training": (f"halting=fixed,max_segments={SEGMENTS}",)},
            "injection": {"gate": ("state.injection=gate",)},
            "feed-forward": {f"{times}x": (f"model.size.expansion={times}",) for times in (2, 9)},
        },
        budget=Allowance(flops=2.6e11),
        seeds=tuple(range(10)),
    )


def quick() -> Study:
    """Six of the arms and nine seeds: about 20 minutes on a core."""
    study = full()
    kept = {"mixing": 1, "levels": 2, "gradient": 2, "halting": 1}
    factors = {name: dict(list(study.factors[name].items())[:count]) for name, count in kept.items()}
    return replace(study, name="variations-maze-quick", factors=factors, seeds=SEEDS)
