"""A tiny search from end to end, and what is concluded from a confirmation whose scores are known."""

import json
from pathlib import Path

import pytest

from hrmlab.api import tune
from hrmlab.api.configuring import configure
from hrmlab.api.tuning import concluded
from hrmlab.config import encode, load_json
from hrmlab.errors import ConfigError, DataError
from hrmlab.presets import preset
from hrmlab.studies.together import together
from hrmlab.studies.tuning.halving import Score
from hrmlab.studies.tuning.limits import Limits
from hrmlab.studies.tuning.search import GoOn, Search
from hrmlab.studies.tuning.trial import most_accurate
from hrmlab.studies.verdict import Question, judge
from hrmlab.training.config import RunConfig

pytest.importorskip("optuna", reason="optuna is not installed")

SMALL = (
    "model.size.width=8",
    "model.schedule.cycles=1",
    "training.batch_size=4",
    "training.engine=eager",
    "data.train=40",
    "data.test=4",
    "halting.max_segments=2",
    "evaluation.max_segments=2",
)


@pytest.mark.slow
def test_a_search_from_end_to_end_and_again(tmp_path: Path) -> None:
    first = tune("sudoku-4x4", SMALL, trials=3, steps=2, seeds=1, out=tmp_path / "tune", quiet=True)
    assert sum(count for state, count in first.trials.items() if state != "outside") == 3
    assert any(trial["preset"] for trial in json.loads(Path(first.study, "result.json").read_text())["front"])
    lines = Path(first.table).read_text().splitlines()
    assert len(lines) == 1 + sum(first.trials.values())
    assert load_json(Path(first.config), RunConfig).name == "sudoku-4x4"
    assert not first.improved  # one pair shows nothing, and two steps teach nothing
    assert load_json(Path(first.config), RunConfig).model.size.width == 8
    again = tune("sudoku-4x4", SMALL, trials=3, steps=2, seeds=1, out=tmp_path / "tune", quiet=True)
    assert again == first
    with pytest.raises(DataError, match="choose another --out"):
        tune("sudoku-4x4", SMALL, trials=3, steps=3, seeds=1, out=tmp_path / "tune", quiet=True)


def test_a_preset_over_the_limits_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sudoku-4x4 itself is over the limits"):
        tune("sudoku-4x4", SMALL, trials=3, steps=2, max_params=10, out=tmp_path / "tune", quiet=True)
    assert not (tmp_path / "tune").exists()


@pytest.fixture
def searched(tmp_path: Path) -> Search:
    """A search in which narrow models are the better ones."""

    def measure(config: RunConfig, go_on: GoOn) -> Score | None:
        width = config.model.size.width
        return Score(1 - width / 100, float(width))

    search = Search(preset("sudoku-4x4").make(), Limits(), tmp_path / "journal.log")
    search.run(measure, 12)
    return search


@pytest.mark.parametrize(("gain", "improved"), [(0.1, True), (0.0, False), (-0.1, False)])
def test_the_found_run_is_given_only_where_it_is_shown_to_be_better(
    searched: Search, tmp_path: Path, gain: float, improved: bool
) -> None:
    best = most_accurate(searched.trials())
    assert best is not None and not best.preset
    verdict = judge(
        [0.5] * 5, [0.5 + gain + seed / 1000 * (gain != 0) for seed in range(5)], Question(predicted="gain")
    )
    told = concluded(searched, best, verdict, tmp_path / "told")
    given = load_json(Path(told.config), RunConfig)
    assert told.improved is improved and told.candidate == best.number
    assert (given == searched.base) is not improved
    if improved:
        assert given.model.size.width == best.point["width"] < searched.base.model.size.width
        assert "better than the preset on fresh seeds" in told.conclusion
    else:
        assert "the configuration is the preset's" in told.conclusion


def test_without_anything_better_the_preset_comes_back(searched: Search, tmp_path: Path) -> None:
    told = concluded(searched, None, None, tmp_path / "told")
    assert load_json(Path(told.config), RunConfig) == searched.base
    assert told.conclusion.startswith("nothing better than the preset was found")


@pytest.mark.slow
def test_two_processes_share_a_search(tmp_path: Path) -> None:
    base, journal = configure("sudoku-4x4", SMALL, steps=2), str(tmp_path / "journal.log")
    search = Search(base, Limits(), journal)
    about = {"base": encode(base), "limits": encode(Limits()), "storage": journal, "trials": 3}
    (tmp_path / "tune.json").write_text(json.dumps(about))
    together("hrmlab.api.trials:work_along", 2, tmp_path)
    trials = search.trials()
    assert sum(trial.state == "done" for trial in trials) in (3, 4)  # they may end together
    assert [trial.number for trial in trials if trial.preset] == [0]
    assert len({json.dumps(trial.point) for trial in trials}) == len(trials)
