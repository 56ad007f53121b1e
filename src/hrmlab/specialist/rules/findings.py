"""What a probe itself says would mend what it found."""

import json

from hrmlab.specialist.citing import cite
from hrmlab.specialist.facts import Facts
from hrmlab.specialist.rules.base import Draft, rule

WEIGHTS = {"fail": 1.0, "warn": 0.85}


@rule()
def advised(facts: Facts) -> Draft | None:
    """The configuration change of the worst finding that has one."""
    for finding in facts.findings("fail", "warn"):
        if not finding.patch:
            continue
        name, seen = f"finding.{finding.rule}", ""
        if isinstance(facts.health.values.get(name), int | float):
            seen = f" It measured {cite(facts.health, name)}."
        segments = all(key.startswith("evaluation") for key in finding.patch)
        return Draft(
            title=f"mend what `{finding.rule}` found",
            changes=[f"{key}={json.dumps(value)}" for key, value in finding.patch.items()],
            prediction="no fewer puzzles right, and the finding gone",
            aim="mean_segments" if segments else "exact",
            better="lower" if segments else "higher",
            principle="What a probe shows to be broken comes before what might be better.",
            rationale=f"`{finding.rule}` ({finding.severity}).{seen} `{finding.advice.replace('`', '')}`",
            explanation="A change of settings; no part of the model is replaced.",
            implications="As the setting says (`hrm compare`).",
            testing="The probe again after training; paired training runs.",
            weight=WEIGHTS[finding.severity],
        )
    return None
