"""What training and inference hold in memory, counted before anything is made."""

from hrmlab.core.cost import Costs
from hrmlab.core.model import HRM
from hrmlab.training.config import RunConfig


def memory(config: RunConfig, model: HRM, cost: Costs) -> dict[str, int]:
    """Bytes by what they are for; "training" and "inference" are the sums for a full batch.

    Args:
        model: of the configuration; its weights may be on the meta device.
    """
    training, weights = config.training, sum(p.nbytes for p in model.parameters())
    table = model.puzzles.rows.nbytes if model.puzzles is not None and not model.puzzles.mapped else 0
    learned = model.puzzles.rows if model.puzzles is not None and model.puzzles.learned else None
    moments = 0 if learned is None else training.puzzle_optimiser.moments(learned)
    learnt = {name: p for name, p in model.named_parameters() if p.requires_grad}
    held = {
        "weights": weights,
        "gradients": sum(p.nbytes for p in learnt.values()),
        "optimiser": 4 * (training.optimiser.moments(learnt) + moments),
        "average": 0 if training.ema is None else weights + table * training.ema_buffers,
        "puzzle_table": table,
    }
    state, kept = (
        sum(cost.states.values()),
        training.segments_per_step * cost.activations(model.schedule, recompute=training.recompute),
    )
    return held | {
        "state": state,
        "activations": kept,
        "training": sum(held.values()) + training.batch_size * (state + kept),
        "inference": weights + held["puzzle_table"] + training.batch_size * state,
    }
