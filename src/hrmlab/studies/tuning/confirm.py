"""Whether what a search found is better than where it began: paired runs on fresh seeds, judged as any study is."""

import json
from dataclasses import replace

from hrmlab.config import encode
from hrmlab.errors import ConfigError
from hrmlab.studies.outcome import Outcome
from hrmlab.studies.plan import Allowance, Plan, Study, expand
from hrmlab.studies.verdict import Question, Verdict
from hrmlab.training.config import RunConfig

FIRST_SEED = 1000
"""Far from the seeds that people and searches use."""
FOUND = "found"


def confirmation(base: RunConfig, found: RunConfig, seeds: int) -> Plan:
    """The runs of both, seed by seed, with the question whether the found one solves more held-out puzzles.

    Both may take as many segments as in the search, whose question this is: a model trained for seconds would use up
    whatever it is given.

    Args:
        seeds: pairs of runs.

    Raises:
        ConfigError: fewer than one pair.
    """
    if seeds < 1:
        raise ConfigError(f"--seeds {seeds} came; wanted 1 or more, and 5 or more to show anything")
    training = base.training
    base, found = (replace(run, evaluation=run.evaluation_in_training) for run in (base, found))
    study = Study(
        name=f"confirm-{base.name}",
        base=base.name,
        factors={FOUND: {FOUND: _changes(base, found)}},
        budget=Allowance(seconds=training.seconds) if training.seconds is not None else Allowance(steps=training.steps),
        seeds=tuple(range(FIRST_SEED, FIRST_SEED + seeds)),
        questions=(Question(predicted="gain"),),
    )
    return expand(study, base)


def verdict_of(outcome: Outcome) -> Verdict | None:
    """On the found run; None where no pair of runs came to an end."""
    return outcome.comparisons[0].verdict


def _changes(base: RunConfig, found: RunConfig) -> tuple[str, ...]:
    parts = {
        "model": (base.model, found.model),
        "halting": (base.halting, found.halting),
        "evaluation": (base.evaluation, found.evaluation),
        "training.optimiser": (base.training.optimiser, found.training.optimiser),
        "training.batch_size": (base.training.batch_size, found.training.batch_size),
    }
    return tuple(f"{key}={json.dumps(encode(after))}" for key, (before, after) in parts.items() if before != after)
