"""The search: Optuna proposes points and remembers them; nothing else here or elsewhere knows of Optuna."""

import os
import platform
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrmlab.config import decode, encode
from hrmlab.errors import ConfigError, DataError, HrmLabError, MissingExtraError
from hrmlab.studies.store import Process
from hrmlab.studies.tuning.halving import Score, goes_on
from hrmlab.studies.tuning.limits import Limits
from hrmlab.studies.tuning.space import Choice, Space, Value, Whole, configured, space_of, start_of
from hrmlab.studies.tuning.trial import Trial
from hrmlab.training.config import RunConfig

if TYPE_CHECKING:
    import optuna

GoOn = Callable[[int, Score], bool]
Measure = Callable[[RunConfig, GoOn], Score | None]
"""Trains a run and gives its score. At every rung it asks, with rung and score, whether to go on; None if not."""
OUTSIDE = 20
"""Points outside the limits, for every trial that is trained, after which a search is given up."""
STARTUP = 10
"""Trials drawn at random before the sampler learns from them."""


class Search:
    """A search on disk or in a database: any number of processes may work on it, one after another or at once.

    Args:
        base: the run that it begins from, tried first.
        storage: a file, kept as a journal; or the URL of a database (`sqlite:///tune.db`, `postgresql://...`).
        seed: of the proposals, None for none; with several processes at once their order decides too.

    Raises:
        MissingExtraError: Optuna is not installed.
        DataError: the storage holds another search, or cannot be used.
    """

    def __init__(self, base: RunConfig, limits: Limits, storage: str | Path, seed: int | None = 0) -> None:
        self.base, self.limits, self.space = base, limits, space_of(base)
        self.storage = storage
        with _quiet(), _usable(storage):
            self.study = _study(base.name, storage, seed)
            if (kept := self.study.user_attrs.get("about")) is None:
                self.study.set_user_attr("about", {"base": encode(base), "limits": encode(limits)})
                self._begin()
        if kept is not None and not _alike(kept, base, limits):
            raise DataError(f"{storage} holds a search from another run or under other limits; choose another --out")

    def run(self, measure: Measure, trials: int, tell: Callable[[Trial], None] = lambda trial: None) -> None:
        """Try points until so many were trained, by this process and others; a few more where they end together.

        Args:
            tell: called with every trial that ended.

        Raises:
            ConfigError: hardly any point keeps the limits.
        """
        while True:
            known = self.trials()
            taken = sum(trial.state != "outside" for trial in known)
            if taken >= trials:
                return
            if len(known) - taken > OUTSIDE * trials:
                raise ConfigError(f"only {taken} of {len(known)} points keep the limits; widen them")
            tell(self._try(measure))

    def forget_the_dead(self) -> None:
        """Give up the trials of processes of this machine that are no more; the preset is tried again."""
        for trial in self.study.get_trials(deepcopy=False):
            worker = trial.user_attrs.get("process")
            if trial.state.name != "RUNNING" or worker is None or worker["host"] != platform.node():
                continue
            if not Process(worker["number"], worker["began"]).alive:
                self.study.tell(trial.number, state=_state("FAIL"))
                if trial.user_attrs.get("preset"):
                    self._begin()

    def trials(self) -> list[Trial]:
        """All that was tried, in order; what was given up before its end is left out."""
        with _usable(self.storage):
            found = [_trial(one) for one in self.study.get_trials(deepcopy=False)]
        return [trial for trial in found if trial is not None]

    def importance(self) -> dict[str, float]:
        """By dimension, how much of the accuracy it decides, as shares of 1; empty with too few trials to say.

        Source: PED-ANOVA, Watanabe et al. 2023, arXiv 2304.10255.
        """
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        scores = [trial.score.exact for trial in self.trials() if trial.score is not None]
        if len(scores) < STARTUP or len(set(scores)) < 2:
            return {}
        with _quiet():
            found = get_param_importances(
                self.study, evaluator=PedAnovaImportanceEvaluator(), target=lambda trial: -trial.values[0]
            )
        return {name: round(float(share), 4) for name, share in found.items()}

    def _begin(self) -> None:
        self.study.enqueue_trial(start_of(self.space), user_attrs={"preset": True})

    def _try(self, measure: Measure) -> Trial:
        with _quiet():
            asked = self.study.ask()
            asked.set_user_attr("process", asdict(Process.of(os.getpid())) | {"host": platform.node()})
            point = _point(asked, self.space)
            config = self._inside(asked, point)
        try:
            score = None if config is None else measure(config, lambda rung, mine: self._goes_on(asked, rung, mine))
        except HrmLabError as error:
            asked.set_user_attr("reason", str(error))
            self.study.tell(asked, state=_state("FAIL"))
        else:
            with _quiet():
                self.study.tell(asked, list(score) if score else None, state=_state("COMPLETE" if score else "PRUNED"))
        return next(trial for trial in self.trials() if trial.number == asked.number)

    def _inside(self, asked: "optuna.Trial", point: dict[str, Value]) -> RunConfig | None:
        """The configuration at a point; None, with the reason noted, if it is incoherent or needs too much."""
        try:
            config = configured(self.base, self.space, point)
            needs = self.limits.needs(config)
        except ConfigError as error:
            asked.set_user_attr("outside", str(error))
            return None
        asked.set_user_attr("needs", {name: value for name, value in asdict(needs).items() if value is not None})
        over = self.limits.over(needs)
        for name, limit in encode(self.limits).items():
            if limit is not None:
                asked.set_constraint(name, over.get(name, 1.0) - 1.0)
        if over:
            asked.set_user_attr(
                "outside", "; ".join(f"{name} {times:.2f} times its limit" for name, times in over.items())
            )
        return None if over else config

    def _goes_on(self, asked: "optuna.Trial", rung: int, mine: Score) -> bool:
        asked.set_user_attr(f"rung {rung}", list(mine))
        others = [trial.rungs[rung] for trial in self.trials() if rung in trial.rungs and trial.number != asked.number]
        return bool(asked.user_attrs.get("preset")) or goes_on(mine, others)


def _alike(kept: dict[str, Any], base: RunConfig, limits: Limits) -> bool:
    """Whether a search was begun from this run under these limits, maybe before configurations had all their fields."""
    try:
        return (decode(RunConfig, kept["base"]), decode(Limits, kept["limits"])) == (base, limits)
    except ConfigError:
        return False


def _study(name: str, storage: str | Path, seed: int | None) -> "optuna.Study":
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("tuning needs optuna; type `pip install 'hrm-lab[studies]'`") from None
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kept: Any = storage if "://" in str(storage) else JournalStorage(JournalFileBackend(str(storage)))
    return optuna.create_study(
        study_name=name,
        storage=kept,
        directions=["maximize", "minimize"],
        sampler=optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=seed),
        load_if_exists=True,
    )


@contextmanager
def _usable(storage: str | Path) -> Iterator[None]:
    """Raises DataError for a storage that is damaged or that nobody answers for."""
    try:
        yield
    except HrmLabError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError):  # a journal of other lines than Optuna's
        raise DataError(f"cannot use the storage {storage}: it is damaged or holds no search; choose another") from None
    except Exception as error:  # whatever the database says is the user's to mend
        raise DataError(f"cannot use the storage {storage}: {(str(error).splitlines() or [''])[0]}") from None


def _point(asked: "optuna.Trial", space: Space) -> dict[str, Value]:
    point: dict[str, Any] = {}
    for name, dimension in space.items():
        if isinstance(dimension, Choice):
            point[name] = asked.suggest_categorical(name, dimension.values)
        elif isinstance(dimension, Whole):
            point[name] = asked.suggest_int(name, dimension.low, dimension.high, step=dimension.step)
        else:
            point[name] = asked.suggest_float(name, dimension.low, dimension.high, log=True)
    return point


def _trial(kept: "optuna.trial.FrozenTrial") -> Trial | None:
    facts, state = kept.user_attrs, kept.state.name
    if state == "WAITING" or (state == "FAIL" and "reason" not in facts):
        return None
    names = {"COMPLETE": "done", "PRUNED": "outside" if "outside" in facts else "stopped", "FAIL": "failed"}
    return Trial(
        number=kept.number,
        state=names.get(state, "running"),  # type: ignore[arg-type]
        preset=bool(facts.get("preset")),
        point=dict(kept.params),
        score=Score(*kept.values) if state == "COMPLETE" else None,
        rungs={int(name[5:]): Score(*value) for name, value in facts.items() if name.startswith("rung ")},
        needs=facts.get("needs", {}),
        reason=facts.get("outside") or facts.get("reason"),
    )


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's remarks on what it calls experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
