"""What a study comes to: cells that are paired, named by what they are, and honest about what is matched."""

import json
from pathlib import Path
from typing import Any

import pytest

from hrmlab.api import data_build
from hrmlab.config import decode, encode, load_json
from hrmlab.errors import ConfigError
from hrmlab.halting import Fixed
from hrmlab.presets import preset
from hrmlab.studies.plan import Allowance, Plan, Study, expand
from hrmlab.tasks import Sudoku
from hrmlab.training.config import RunConfig

TINY = ("model.size.width=8", "training.batch_size=4", "data.train=20", "data.test=6")


@pytest.fixture(scope="module")
def base() -> RunConfig:
    return preset("sudoku-4x4").make()


@pytest.fixture(scope="module")
def plan(base: RunConfig) -> Plan:
    return expand(study(), base)


def study(**changes: Any) -> Study:
    factors = {"cycles": {"2": ("model.schedule.cycles=2",)}, "lr": {"low": ("training.optimiser.lr=0.001",)}}
    about: dict[str, Any] = {
        "name": "trial",
        "base": "sudoku-4x4",
        "overrides": TINY,
        "factors": factors,
        "budget": Allowance(steps=3),
        "seeds": (4, 5),
    }
    return Study(**(about | changes))


def test_a_study_is_data(tmp_path: Path) -> None:
    whole = study(evaluations={"long": ("evaluation.max_segments=9",)})
    file = tmp_path / "study.json"
    file.write_text(json.dumps(encode(whole)))
    assert load_json(file, Study) == whole
    with pytest.raises(ConfigError, match="unknown key 'sedes'; did you mean 'seeds'"):
        decode(Study, encode(whole) | {"sedes": [1]})


def test_cells_are_paired(plan: Plan) -> None:
    assert [(cell.seed, cell.arm) for cell in plan.cells] == [
        (seed, arm) for seed in (4, 5) for arm in ("base", "cycles=2", "lr=low")
    ]
    for cell in plan.cells:
        assert cell.config.training.seed == cell.seed
        assert (cell.config.training.steps, cell.config.training.seconds) == (3, None)
        assert cell.config.data == plan.cells[0].config.data
    assert len({cell.id for cell in plan.cells}) == 6


def test_a_cell_is_known_by_its_configuration_wherever_it_is_planned(base: RunConfig, plan: Plan) -> None:
    ids = {(cell.arm, cell.seed): cell.id for cell in plan.cells}
    other = study(factors={"pace": {"low": ("training.optimiser.lr=0.001",)}}, seeds=(5, 6), name="another")
    again = {(cell.arm, cell.seed): cell.id for cell in expand(other, base).cells}
    assert again["pace=low", 5] == ids["lr=low", 5]
    assert again["base", 5] == ids["base", 5]
    assert again["base", 6] not in ids.values()


def test_evaluations_are_columns_and_train_nothing(base: RunConfig, plan: Plan) -> None:
    evaluations = {"two": ("evaluation=fixed", "evaluation.max_segments=2")}
    more = expand(study(evaluations=evaluations, seeds=(4,)), base)
    assert [cell.id for cell in more.cells] == [cell.id for cell in plan.cells[:3]]
    assert list(more.cells[0].evaluations) == ["own", "two"]
    assert more.cells[0].plain()["evaluations"]["two"]["halting"] == encode(Fixed(max_segments=2))
    with pytest.raises(ConfigError, match="'bad' changes the training"):
        expand(study(evaluations={"bad": ("halting.max_segments=2",)}), base)


def test_equal_operations_are_different_steps(base: RunConfig, plan: Plan) -> None:
    assert "flops" not in plan.matched and {"steps", "parameters"} <= set(plan.matched)
    equal = expand(study(budget=Allowance(flops=1e9), seeds=(4,)), base)
    assert "steps" not in equal.matched and {"flops", "parameters"} <= set(equal.matched)
    few, many = equal.arms["base"].steps, equal.arms["cycles=2"].steps
    assert few is not None and many is not None and many > few
    for arm in equal.arms.values():
        assert arm.flops == pytest.approx(1e9, rel=0.01)
    assert [cell.config.training.steps for cell in equal.cells] == [few, many, few]


def test_seconds_match_seconds_alone(base: RunConfig) -> None:
    factors = {"cycles": {"2": ("model.schedule.cycles=2",)}}
    plan = expand(study(budget=Allowance(seconds=2), factors=factors), base)
    assert set(plan.matched) == {"seconds", "parameters"}
    assert plan.arms["base"].flops is None


def test_the_task_is_that_of_the_data_set(base: RunConfig, tmp_path: Path) -> None:
    path = tmp_path / "six"
    data_build("sudoku-6x6", out=path, train=4, test=2, seed=0, quiet=True)
    plan = expand(study(overrides=(*TINY, f"data.path={path}"), factors={}, seeds=(0,)), base)
    assert plan.cells[0].config.task == Sudoku(box_rows=2, box_cols=3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factors": {"f": {"x": ("training.seed=3",)}}}, "f=x: training.seed is the study's to set"),
        ({"factors": {"f": {"x": ("training.steps=3",)}}}, "training.steps is the study's to set"),
        ({"overrides": ("training.seconds=3",)}, "overrides: training.seconds is the study's to set"),
        ({"factors": {"f": {"x": ("data.seed=3",)}}}, "data.seed changes the held-out puzzles"),
        ({"factors": {"f": {"x": ("task.box_cols=3",)}}}, "it changes the task"),
        ({"factors": {"f": {"x": ("data.test=6",)}}}, "arms 'base' and 'f=x' are the same configuration"),
        ({"factors": {"f": {"x": ("model.sized=6",)}}}, "did you mean 'size'"),
    ],
)
def test_arms_that_could_not_be_compared_are_refused(base: RunConfig, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        expand(study(**changes), base)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"budget": {}}, "budget nothing came"),
        ({"budget": {"steps": 3, "seconds": 2}}, "wanted one of steps, seconds, flops"),
        ({"budget": {"steps": 0}}, "more than 0"),
        ({"seeds": []}, "wanted at least one"),
        ({"seeds": [1, 1]}, "no seed twice"),
        ({"questions": []}, "no questions came"),
        ({"evaluations": {"own": []}}, "choose another name"),
    ],
)
def test_studies_that_mean_nothing_are_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        decode(Study, encode(study()) | data)
