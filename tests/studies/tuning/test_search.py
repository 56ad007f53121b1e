"""The search with objectives whose best point is known, on journals and in databases; needs optuna."""

from pathlib import Path

import pytest

from hrmlab.errors import ConfigError, DataError, HrmLabError
from hrmlab.presets import preset
from hrmlab.studies.tuning.halving import Score
from hrmlab.studies.tuning.limits import Limits
from hrmlab.studies.tuning.search import GoOn, Search
from hrmlab.training.config import RunConfig

pytest.importorskip("optuna", reason="optuna is not installed")

BASE = preset("sudoku-4x4").make()


def narrow_is_good(config: RunConfig, go_on: GoOn) -> Score | None:
    """Accuracy falls with the width, cost rises with it."""
    width = config.model.size.width
    return Score(1 - width / 100, float(width)) if go_on(0, Score(1 - width / 100, float(width))) else None


def test_the_preset_is_the_first_trial_and_better_ones_are_found(tmp_path: Path) -> None:
    search = Search(BASE, Limits(), tmp_path / "journal.log")
    asked: list[RunConfig] = []

    def measure(config: RunConfig, go_on: GoOn) -> Score | None:
        asked.append(config)
        return narrow_is_good(config, go_on)

    search.run(measure, 25)
    trials = search.trials()
    assert asked[0] == BASE
    assert [trial.preset for trial in trials] == [True] + 24 * [False]
    assert [trial.number for trial in trials] == list(range(25))
    best = max(trial.score.exact for trial in trials if trial.score is not None)
    assert best == 1 - 8 / 100  # the narrowest width of the space
    assert {trial.state for trial in trials} == {"done", "stopped"}
    stopped = [trial for trial in trials if trial.state == "stopped"]
    assert all(trial.score is None and trial.rungs[0].exact < best for trial in stopped)
    shares = search.importance()
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)


def test_a_search_goes_on_where_it_ended(tmp_path: Path) -> None:
    journal = tmp_path / "journal.log"
    Search(BASE, Limits(), journal).run(narrow_is_good, 3)
    again = Search(BASE, Limits(), journal)
    before = again.trials()
    again.run(narrow_is_good, 3)
    assert again.trials() == before
    again.run(narrow_is_good, 5)
    assert again.trials()[:3] == before and len(again.trials()) == 5
    assert sum(trial.preset for trial in again.trials()) == 1


def test_limits_are_kept_before_anything_is_trained(tmp_path: Path) -> None:
    limits = Limits(params=Limits().needs(BASE).params)
    trained: list[int] = []

    def measure(config: RunConfig, go_on: GoOn) -> Score | None:
        trained.append(limits.needs(config).params)
        return narrow_is_good(config, go_on)

    search = Search(BASE, limits, tmp_path / "journal.log")
    search.run(measure, 4)
    assert limits.params is not None
    assert len(trained) == 4 and max(trained) <= limits.params
    outside = [trial for trial in search.trials() if trial.state == "outside"]
    assert outside and all("params" in (trial.reason or "") and trial.score is None for trial in outside)


def test_hardly_any_room_is_said(tmp_path: Path) -> None:
    search = Search(BASE, Limits(params=1), tmp_path / "journal.log")
    with pytest.raises(ConfigError, match="widen"):
        search.run(narrow_is_good, 1)


def test_a_trial_that_fails_is_kept_with_its_reason(tmp_path: Path) -> None:
    def measure(config: RunConfig, go_on: GoOn) -> Score | None:
        if config != BASE:
            raise HrmLabError("the loss became nan")
        return narrow_is_good(config, go_on)

    search = Search(BASE, Limits(), tmp_path / "journal.log")
    search.run(measure, 2)
    assert [(trial.state, trial.reason) for trial in search.trials()] == [
        ("done", None),
        ("failed", "the loss became nan"),
    ]


def test_what_a_killed_process_left_is_tried_again(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def measure(config: RunConfig, go_on: GoOn) -> Score | None:
        raise Killed

    search = Search(BASE, Limits(), tmp_path / "journal.log")
    with pytest.raises(Killed):
        search.run(measure, 2)
    search.forget_the_dead()
    assert [trial.state for trial in search.trials()] == ["running"]  # this process is alive
    left = search.study.get_trials()[0].user_attrs["process"] | {"began": 0.0}
    search.study._storage.set_trial_user_attr(search.study.get_trials()[0]._trial_id, "process", left)
    search.forget_the_dead()
    assert search.trials() == []
    search.run(narrow_is_good, 2)
    assert [(trial.state, trial.preset) for trial in search.trials()] == [("done", True), ("done", False)]


def test_another_run_needs_another_place(tmp_path: Path) -> None:
    Search(BASE, Limits(), tmp_path / "journal.log")
    with pytest.raises(DataError, match="choose another --out"):
        Search(BASE, Limits(params=10), tmp_path / "journal.log")


def test_a_database_serves_as_well(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tune.db'}"
    Search(BASE, Limits(), url).run(narrow_is_good, 2)
    assert Search(BASE, Limits(), url).trials()[0].score == Score(1 - 24 / 100, 24.0)


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot use the storage"):
        Search(BASE, Limits(), f"sqlite:///{tmp_path}/no/such/folder/tune.db")
