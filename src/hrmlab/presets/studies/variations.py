"""Which parts of a small model matter: one change at a time of the 6x6 preset, equal operations, all on one core.

The base has one state for each cell and symbol, mixed by relations, six updates a segment, gradient through all six.
The budget ends where the base has just learnt to solve most boards. Expected before the first run: relations and the
symbol axis matter most, then the gradient window.
"""

from dataclasses import replace

from hrmlab.presets.studies.small import SEEDS
from hrmlab.studies.plan import Allowance, Study

CELLS = ("model.embedding=tokens", "model.size.width=48", "model.size.heads=4")
"""States of cells alone, of twice the width: attention and mixing are made for these."""
ATTENTION = (*CELLS, "model.block=post_norm")


def full() -> Study:
    """Sixteen arms and ten seeds, the fewest that can show an effect among so many: about an hour on a core."""
    return Study(
        name="variations",
        base="sudoku-6x6",
        overrides=("evaluation=fixed,max_segments=16", "data.test=300", "training.engine=eager"),
        factors={
            "states": {"of cells, width 48": CELLS},
            "mixing": {
                "attention": (*ATTENTION, "model.positions=rotary_2d"),
                "attention, gated": (*ATTENTION, "model.block.attention=gated", "model.positions=rotary_2d"),
                "attention, linear": (*ATTENTION, "model.block.attention=linear", "model.positions=learned_2d"),
                "attention by relations": (*ATTENTION, "model.block.attention=relational"),
                "mlp": (*CELLS, "model.block=mlp_mixer"),
                "attention and convolution": (*CELLS, "model.block=conv_swiglu", "model.positions=rotary_2d"),
            },
            "levels": {
                "2, one network": ("model.schedule=trm", "model.schedule.high_cycles=2", "model.schedule.low_cycles=2"),
                "2, two networks": ("model.schedule=hrm",),
                "3, three networks": ("model.schedule=levels",),
            },
            "gradient": {f"last {rows} of 6": (f"model.schedule.grad_window={rows}",) for rows in (1, 2, 4)},
            "feed-forward": {f"{times}x": (f"model.size.expansion={times}",) for times in (2, 9)},
        },
        budget=Allowance(flops=2.6e11),
        seeds=tuple(range(10)),
    )


def quick() -> Study:
    """Six of the arms and nine seeds: about 15 minutes on a core."""
    study = full()
    kept = {"states": 1, "mixing": 1, "levels": 2, "gradient": 1}
    factors = {name: dict(list(study.factors[name].items())[:count]) for name, count in kept.items()}
    return replace(study, name="variations-quick", factors=factors, seeds=SEEDS)
