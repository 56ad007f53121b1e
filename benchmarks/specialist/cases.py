"""The cases of the examination: models with something planted, changes good and bad, and questions of cost."""

from dataclasses import dataclass

HRM = "hrm-sudoku-4x4"
SMALL = ("data.train=64", "data.test=32", "model.size.width=16", "training.batch_size=32", "training.engine=eager")
TRANSFORMER = ("model.block=post_norm", "model.embedding=tokens", "model.positions=rotary", "model.size.heads=4")
CELLS = ("model.embedding=tokens", "model.size.heads=1")


@dataclass(frozen=True)
class Advice:
    """A problem with a model. wanted: the rule whose proposal must be among the first `within`; `unwanted` must not."""

    name: str
    problem: str
    changes: tuple[str, ...] = ()
    wanted: str = ""
    within: int = 3
    unwanted: str = ""


@dataclass(frozen=True)
class Change:
    """A change at the gates that need no training. stopped: the gate that must stop it, "" for none."""

    name: str
    changes: tuple[str, ...]
    stopped: str
    aim: str = "exact"


@dataclass(frozen=True)
class Cost:
    """A number of `inspect`, by its path, on a target with changes, and what it is known to be."""

    name: str
    target: str
    changes: tuple[str, ...]
    path: str
    known: float


ADVICE = (
    Advice("one-step gradient", "gradients don't reach the low level", (), "gradient_window", 1),
    Advice("starved level", "the low level gets no gradient of its own", (), "deep_supervision"),
    Advice("whole gradient", "gradient flow?", ("model.schedule.grad_window=6",), "", 3, "gradient_window"),
    Advice("no limit", "gradients explode", ("training.clip=none", "model.schedule.grad_window=6"), "clip"),
    Advice("no exploration", "tune Q-learning", ("halting=q_learning", "halting.exploration=0"), "explore", 1),
    Advice("two targets", "tune the halting of ACT", ("halting=q_learning",), "learn_correctness"),
    Advice("look-ahead", "halting is slow, too much overhead", ("halting=q_learning",), "look_less_often"),
    Advice("never halts", "inference is slow", ("evaluation=fixed,max_segments=8",), "halt_in_evaluation"),
    Advice("halts already", "inference is slow", ("evaluation=correctness",), "", 3, "halt_in_evaluation"),
    Advice("memory", "training runs out of memory", (), "recompute", 1),
    Advice("memory, given up already", "out of memory", ("training.recompute=true",), "smaller_batch"),
    Advice("parameters", "scale to fewer parameters", (), "shared_networks"),
    Advice(
        "wide feed-forward",
        "make a segment cheaper, inference speed",
        ("model.size.expansion=8",),
        "narrower_feed_forward",
    ),
    Advice("a module", "add a new reasoning module to the H_layers", TRANSFORMER, "deeper_high_level", 1),
    Advice("attention", "optimize the attention patterns", TRANSFORMER, "attend_by_relations", 1),
    Advice("no attention to tie", "optimize the attention patterns", (), "", 3, "attend_by_relations"),
    Advice("symbols", "make it solve more puzzles", CELLS, "symbol_axis"),
)
MANY = ("model.size.expansion=2", "halting.exploration=0.3", "training.clip=2", "training.ema=0.9")
CHANGES = (
    Change("a good one", ("model.schedule.grad_window=4",), ""),
    Change("less memory", ("training.recompute=true",), "", "memory_training"),
    Change("other seeds", ("training.seed=7",), "static"),
    Change("easier puzzles", ("task.givens=12",), "static"),
    Change("more puzzles to learn from", ("data.train=100000",), "static"),
    Change(
        "four things at once",
        ("model.size.expansion=2", "halting.exploration=0.3", "training.clip=2", "training.ema=0.9"),
        "static",
    ),
    Change("blocks that do not fit", ("model.block=post_norm",), "build"),
    Change("a level without gradient", ("model.schedule.grad_window=1",), "build"),
    Change("a window outside the schedule", ("model.schedule.grad_window=60",), "build"),
    Change("wider, for less memory", ("model.size.width=32",), "cost", "memory_training"),
    Change("deeper, for fewer parameters", ("high.layers=2",), "cost", "parameters"),
    Change("an engine that is not here", ("training.engine=captured",), "run"),
)
TWICE = ("model.schedule.grad_window=6", "training.segments_per_step=2")
COSTS = (
    Cost("the paper's parameters", "hrm-sudoku-extreme", (), "parameters.total", 27_275_266),
    Cost("the paper's share without gradient", "hrm-sudoku-extreme", (), "without_gradient", 4 / 6),
    Cost("TRM's parameters", "trm-mlp-sudoku-extreme", (), "calls.high.forward", 21),
    Cost("a whole window teaches all", HRM, ("model.schedule.grad_window=6",), "without_gradient", 0.0),
    Cost(
        "a look ahead is a segment",
        HRM,
        ("halting=q_learning", "halting.target_every=1"),
        "ratio.look_ahead/segment",
        1.0,
    ),
    Cost(
        "two segments a step cost twice",
        HRM,
        ("model.schedule.grad_window=6", "training.segments_per_step=2"),
        "ratio.training_step/base",
        2.0,
    ),
)
