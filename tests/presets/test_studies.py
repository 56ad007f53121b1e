"""Every shipped study can be planned, and has the seeds that its number of arms asks for."""

from dataclasses import replace
from functools import cache

import pytest

from hrmlab.api.rules import spelled_out
from hrmlab.api.targets import find_config
from hrmlab.presets.studies import STUDIES
from hrmlab.studies.plan import Plan, Study, expand
from hrmlab.studies.statistics import smallest_p

FORMS = [(name, quick) for name in STUDIES for quick in (False, True)]


@cache
def planned(name: str, quick: bool) -> Plan:
    study = STUDIES[name].make(quick=quick)
    factors = {
        factor: {level: tuple(spelled_out(some)) for level, some in levels.items()}
        for factor, levels in study.factors.items()
    }
    evaluations = {key: tuple(spelled_out(some)) for key, some in study.evaluations.items()}
    plain = {"overrides": tuple(spelled_out(study.overrides)), "factors": factors, "evaluations": evaluations}
    base = find_config(study.base)
    here = replace(base, data=replace(base.data, path=None))  # the published sets are not on every disk
    return expand(Study(**{**vars(study), **plain}), here)


@pytest.mark.parametrize(("name", "quick"), FORMS)
def test_it_can_be_planned(name: str, quick: bool) -> None:
    plan = planned(name, quick)
    assert plan.study.name == name + "-quick" * quick
    assert len(plan.cells) == len(plan.arms) * len(plan.study.seeds) and len(plan.arms) > 2


@pytest.mark.parametrize(("name", "quick"), [(name, quick) for name, quick in FORMS if name != "trm-table-1" and quick])
def test_an_effect_in_one_arm_could_be_shown(name: str, quick: bool) -> None:
    plan = planned(name, quick)
    least = smallest_p(len(plan.study.seeds), "two-sided") * (len(plan.arms) - 1)
    assert least <= plan.study.questions[0].alpha, "too few seeds for Holm's correction over so many arms"
