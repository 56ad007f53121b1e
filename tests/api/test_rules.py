"""Halting rules as they are typed."""

from dataclasses import make_dataclass

import pytest

from hrmlab.api.rules import halting_rule, spelled_out
from hrmlab.config import override
from hrmlab.errors import ConfigError
from hrmlab.halting import AllOf, AnswerStability, AnyOf, Confidence, Correctness, Fixed, HaltingConfig, QLearning
from hrmlab.registry import Strict

SEVEN = Fixed(max_segments=7)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (None, SEVEN),
        ("q_learning", QLearning(max_segments=7)),
        ("correctness,threshold=0.9,max_segments=3", Correctness(max_segments=3, threshold=0.9)),
        ("correctness, restart_every=none", Correctness(max_segments=7)),
        ("confidence(threshold=0.5, over=mean)", Confidence(max_segments=7, threshold=0.5, over="mean")),
        (
            "any_of(confidence, answer_stability(patience=3)), max_segments=32",
            AnyOf(rules=(Confidence(), AnswerStability(patience=3)), max_segments=32),
        ),
        (
            "all_of(any_of(fixed),confidence(),min_segments=2)",
            AllOf(rules=(AnyOf(rules=(Fixed(),)), Confidence()), min_segments=2, max_segments=7),
        ),
    ],
)
def test_a_rule_is_read(text: str | None, rule: HaltingConfig) -> None:
    assert halting_rule(text, SEVEN) == rule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'the end' came"),
        ("fix", "'fix'"),
        ("fixed,", "'the end' came"),
        ("fixed,max_segments=0", "max_segments=0"),
        ("fixed,max_segments=x", "max_segments"),
        ("fixed,kind", "'kind' without a value"),
        ("max_segments=3", "the name of a rule first"),
        ("any_of(confidence", "wanted ','"),
        ("any_of(confidence))", "')' came"),
        ("confidence(thresold=1)", "threshold"),
        ("global_budget(fixed, confidence)", "one rule"),
    ],
)
def test_a_bad_rule_is_refused_with_its_reason(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(").replace(")", r"\)")):
        halting_rule(text, Fixed())


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ("evaluation=fixed,max_segments=5", Fixed(max_segments=5)),
        ("evaluation=confidence(threshold=0.5)", Confidence(threshold=0.5)),
        ("evaluation=all_of(confidence,fixed),min_segments=2", AllOf(rules=(Confidence(), Fixed()), min_segments=2)),
        ("evaluation=correctness", Correctness()),
        ('evaluation={"kind":"fixed","max_segments":2}', Fixed(max_segments=2)),
        ("evaluation.max_segments=9", QLearning(max_segments=9)),
    ],
)
def test_a_rule_may_be_typed_in_an_override(typed: str, rule: HaltingConfig) -> None:
    made = make_dataclass("Run", [("evaluation", HaltingConfig)], bases=(Strict,), frozen=True)
    assert override(made(QLearning()), spelled_out([typed])).evaluation == rule


def test_a_bad_rule_in_an_override_is_refused_where_it_stands() -> None:
    with pytest.raises(ConfigError, match=r"evaluation=fixed,max_segments; wanted key=value"):
        spelled_out(["evaluation=fixed,max_segments"])
    with pytest.raises(ConfigError, match=r"evaluation=fixed,depth=3: unknown key 'depth'"):
        spelled_out(["evaluation=fixed,depth=3"])
    assert spelled_out(["data.path=a,b=c", "training.seed=1"]) == ["data.path=a,b=c", "training.seed=1"]
