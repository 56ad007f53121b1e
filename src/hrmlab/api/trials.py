"""The trials of `tune`: trained on most of the training puzzles, measured on the others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrmlab.api.puzzles import both, sample
from hrmlab.api.settings import choose_device, use_threads
from hrmlab.api.training import trainer_of
from hrmlab.config import load_json
from hrmlab.core.cost import costs
from hrmlab.errors import DataError
from hrmlab.inference.evaluate import evaluate
from hrmlab.registry import Strict
from hrmlab.studies.tuning.halving import RUNGS, Score
from hrmlab.studies.tuning.limits import Limits
from hrmlab.studies.tuning.search import GoOn, Search
from hrmlab.studies.tuning.trial import Trial
from hrmlab.tasks.base import Examples, Split
from hrmlab.terminal import note
from hrmlab.training.config import RunConfig
from hrmlab.training.loop import Trainer

HELD_BACK = 0.1
"""The share of the training puzzles that trials are measured on; nobody trains on them."""
GLANCE = 100
"""So many of them are asked at a rung: most trials are bad, and a bad model takes all the segments that it may."""


@dataclass(frozen=True)
class Order(Strict):
    """What tune.json says: the search, for processes that work on it."""

    base: RunConfig
    limits: Limits
    storage: str
    trials: int
    seed: int | None = None


def work_on(search: Search, trials: int, quiet: bool) -> None:
    """Go on with a search until so many trials were trained."""
    split = held_back(both(search.base, quiet))

    def tell(trial: Trial) -> None:
        score = f"{trial.score.exact:.2%} at {trial.score.cost:.3g} operations" if trial.score else trial.reason
        note(f"trial {trial.number} {trial.state}{f': {score}' if score else ''}", quiet or trial.state == "outside")

    search.run(lambda config, go_on: measured(config, split, go_on), trials, tell)


def work_along(folder: Path) -> dict[str, dict[str, Any]]:
    """One of several processes at work on the search of a folder."""
    use_threads(1)
    about = load_json(folder / "tune.json", Order)
    search = Search(about.base, about.limits, about.storage, None)  # alike, processes would try the same points
    work_on(search, about.trials, quiet=True)
    return {}


def held_back(split: Split) -> Split:
    """The training puzzles in two: most to train on, and the last of them in place of the held-out ones.

    Raises:
        DataError: they are too few; or named one by one, so that the names of those held back would never be learnt.
    """
    count = len(split.train)
    back = int(HELD_BACK * count)
    if back < 1:
        raise DataError(f"{count} training puzzles came; wanted 10 or more, to hold some of them back")
    if split.train.identifiers.any():
        raise DataError("puzzles with identifiers of their own came; tuning needs puzzles that can be held back")
    rest, last = split.train.part(slice(count - back)), split.train.part(slice(count - back, count))
    return Split(rest, last, "the last of the training puzzles, held back")


def measured(config: RunConfig, split: Split, go_on: GoOn) -> Score | None:
    """Train a run; its accuracy and operations for an answer on the puzzles of `split.test`.

    Puzzles and segments are those of the run's evaluations in training, which need not be as deep as its last one.

    Returns:
        None if `go_on` ended it at a rung.
    """
    trainer = trainer_of(config, split, choose_device())
    some = sample(split.test, config.training.evaluate_puzzles)
    policy = config.evaluation_in_training
    segment = costs(config.model, config.task.spec()).segment(trainer.model.schedule)
    rungs = dict(enumerate(RUNGS))
    stopped = False

    def score(puzzles: Examples) -> Score:
        found = evaluate(trainer.evaluated_model.eval(), config.task, puzzles, policy)
        return Score(found.exact, segment * found.mean_segments)

    def after(at: Trainer) -> bool:
        nonlocal stopped
        passed = [rung for rung, share in rungs.items() if share <= at.budget.progress < 1.0]
        for rung in passed:
            del rungs[rung]
        stopped = bool(passed) and not go_on(passed[-1], score(sample(some, GLANCE)))
        return not stopped

    trainer.run(after)
    return None if stopped else score(some)
