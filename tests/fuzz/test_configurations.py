"""Configuration files: of a run, and of a study."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz.damage import json_files
from fuzz.harness import fuzzed, judge
from hypothesis import given

from hrmlab.api.study_sources import find_study
from hrmlab.api.targets import find_config
from hrmlab.config import decode, encode
from hrmlab.core.cost import Costs, costs
from hrmlab.core.model import ModelConfig
from hrmlab.presets import preset
from hrmlab.spec import TaskSpec
from hrmlab.studies import plan
from hrmlab.studies.plan import Study, expand
from hrmlab.training.config import RunConfig

BASE = preset("hrm-sudoku-4x4").make()
RUNS = [encode(preset(name).make()) for name in ("hrm-sudoku-4x4", "sudoku-4x4", "maze-9x9", "hrm-sudoku-extreme")]
STUDY = {
    "name": "mine", "base": "hrm-sudoku-4x4", "overrides": ["model.size.width=8"], "design": "one_factor",
    "factors": {"act": {"off": ["halting.max_segments=1"], "long": ["halting.max_segments=4"]}},
    "evaluations": {"long": ["evaluation.max_segments=8", "voting.attempts=2"]}, "budget": {"steps": 5},
    "seeds": [0, 1], "questions": [{"measure": "exact"}],
}  # fmt: skip


@fuzzed()
@given(json_files(*RUNS))
def test_runs(home: Path, data: bytes) -> None:
    file = home / "run.json"
    file.write_bytes(data)
    config = judge(lambda: find_config(file), home)
    assert config is None or same(config, decode(RunConfig, encode(config)))


@pytest.fixture(scope="module")
def counted() -> Iterator[None]:
    """Operations are counted once a configuration; what is imported at first takes longer than a case may."""
    known: dict[str, Costs] = {}

    def once(config: ModelConfig, spec: TaskSpec) -> Costs:
        name = repr((config, spec))
        if name not in known:
            known[name] = costs(config, spec)
        return known[name]

    once(BASE.model, BASE.task.spec())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "costs", once)
        yield


def same(one: RunConfig, other: RunConfig) -> bool:
    return repr(one) == repr(other)  # NaN is no equal of itself


@fuzzed(share=0.2)
@given(json_files(STUDY))
def test_studies(home: Path, counted: None, data: bytes) -> None:
    file = home / "study.json"
    file.write_bytes(data)

    def planned() -> None:
        study = find_study(file)
        assert isinstance(study, Study)
        if study.base == STUDY["base"]:
            expand(study, BASE)

    judge(planned, home)
