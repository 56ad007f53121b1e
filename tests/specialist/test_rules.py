"""Which rules answer which problem, on models with the fault in question and on one without."""

from pathlib import Path

import pytest
import torch

from hrmlab import api
from hrmlab.api.rules import spelled_out
from hrmlab.api.steps import trainer
from hrmlab.config import encode
from hrmlab.errors import ConfigError
from hrmlab.presets import preset
from hrmlab.reports.files import write_texts
from hrmlab.results import Proposal
from hrmlab.specialist.citing import unfounded
from hrmlab.specialist.facts import Facts, analysis, examine
from hrmlab.specialist.ledger import NAME, Ledger
from hrmlab.specialist.rules import RULES, Draft, drafts
from hrmlab.specialist.topics import PROBES, TOPICS, topics_of
from hrmlab.training.overrides import override_run

SMALL = ("data.train=64", "data.test=32", "model.size.width=16", "training.batch_size=32")
TRANSFORMER = ("model.block=post_norm", "model.embedding=tokens", "model.positions=rotary", "model.size.heads=2")


def facts(tmp_path: Path, problem: str, *changes: str, name: str = "hrm-sudoku-4x4") -> tuple[Facts, Ledger]:
    import json

    config = override_run(preset(name).make(), spelled_out([*SMALL, *changes]))
    write_texts(tmp_path, {"model.json": json.dumps(encode(config))})
    ledger = Ledger(tmp_path / NAME)
    return examine(tmp_path / "model.json", problem, topics_of(problem), ledger, n=8, quiet=True), ledger


def proposed(tmp_path: Path, problem: str, *changes: str) -> dict[str, Draft]:
    found, ledger = facts(tmp_path, problem, *changes)
    made = drafts(found)
    for text in [*analysis(found), *(draft.rationale for draft in made)]:
        assert unfounded(text, ledger.records()) == []
    return {draft.rule: draft for draft in made}


@pytest.mark.parametrize(
    ("problem", "topic"),
    [
        ("I need to add a new reasoning module to the H_layers and optimize the attention patterns", "module"),
        ("The gradients aren't flowing properly through my hierarchical connections", "gradient"),
        ("it never halts early", "halting"),
        ("training runs out of memory", "memory"),
        ("inference is too slow", "speed"),
        ("is everything fine?", "accuracy"),
    ],
)
def test_a_problem_has_its_topics(problem: str, topic: str) -> None:
    assert topics_of(problem)[0] == topic and set(TOPICS) == set(PROBES)


def test_gradients_that_do_not_reach_back_widen_the_window(tmp_path: Path) -> None:
    made = proposed(tmp_path, "gradients don't reach the low level")
    first = next(iter(made.values()))
    assert first.rule == "gradient_window" and first.changes == ["model.schedule.grad_window=4"]
    assert "a cosine of" in first.rationale
    assert made["deep_supervision"].changes == ["model.answers.low=0.5"]


def test_what_is_in_order_is_left_alone(tmp_path: Path) -> None:
    made = proposed(
        tmp_path, "gradients don't reach the low level", "model.schedule.grad_window=6", "model.answers.low=1"
    )
    assert not {"gradient_window", "deep_supervision", "fixed_point_gradient", "clip"} & set(made)


def test_q_learning_that_does_not_explore_is_told_to(tmp_path: Path) -> None:
    made = proposed(tmp_path, "tune Q-learning", "halting=q_learning", "halting.exploration=0", "evaluation=q_learning")
    assert next(iter(made)) == "explore" and "learn_correctness" in made
    assert "explore" not in proposed(tmp_path / "b", "tune Q-learning", "halting=q_learning")


def test_attention_is_tied_to_relations_and_modules_go_to_the_high_level(tmp_path: Path) -> None:
    problem = "add a reasoning module to the H_layers and optimize the attention patterns"
    made = proposed(tmp_path, problem, *TRANSFORMER)
    assert {"deeper_high_level", "attend_by_relations", "mix_by_relations"} <= set(made)
    assert made["deeper_high_level"].changes == ["high.layers=2"]
    assert "attend_by_relations" not in proposed(tmp_path / "b", problem)  # a block without attention


def test_memory_and_operations_are_saved_where_there_is_something_to_save(tmp_path: Path) -> None:
    made = proposed(tmp_path, "make it fit in less memory")
    assert made["recompute"].aim == "memory_training" and made["narrower_feed_forward"].aim == "operations_segment"
    assert made["smaller_batch"].changes == ["training.batch_size=16"]
    assert "shared_networks" in made
    assert "recompute" not in proposed(tmp_path / "b", "less memory", "training.recompute=true")


def test_evaluation_that_never_halts_may_halt(tmp_path: Path) -> None:
    made = proposed(tmp_path, "inference is too slow", "evaluation=fixed,max_segments=8")
    assert made["halt_in_evaluation"].aim == "mean_segments" and made["halt_in_evaluation"].better == "lower"


def test_what_cannot_be_built_is_not_proposed_and_no_change_twice(tmp_path: Path) -> None:
    for problem in ("gradient", "halting", "memory", "module attention"):
        found, _ = facts(tmp_path / problem, problem)
        made = drafts(found)
        assert len({tuple(draft.changes) for draft in made}) == len(made) > 0
        for draft in made:
            assert override_run(found.config, draft.changes) != found.config


def test_every_rule_says_all_that_a_report_needs() -> None:
    needed = set(Proposal.__dataclass_fields__) - {
        "id", "gates", "verdict", "reason", "compatibility", "cost", "gradient_flow",
    }  # fmt: skip
    assert needed <= set(Draft.__dataclass_fields__)
    assert len(RULES) >= 15 and all(function.__doc__ for _, function in RULES.values())


def test_a_target_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        examine("nowhere", "gradient", ["gradient"], Ledger(tmp_path / NAME), n=4, quiet=True)
    assert api.catalog("preset").items


@pytest.mark.parametrize(
    "changes", [(), TRANSFORMER, ("model.schedule.neumann=1",)], ids=["HRM", "transformer", "fixed point"]
)
def test_what_is_proposed_can_be_trained(tmp_path: Path, changes: tuple[str, ...]) -> None:
    """Some steps of every change, so that one that only some steps differ in is met."""
    everything = "gradient halting attention module memory speed scale embedding accuracy"
    found, _ = facts(tmp_path, everything, *changes)
    made = drafts(found)
    assert len(made) > 5
    for draft in made:
        config = override_run(found.config, [*draft.changes, "training.engine=eager", "training.batch_size=4"])
        run = trainer(config, torch.device("cpu"))
        for _ in range(6):
            run.step()
        assert all(bool(weight.isfinite().all()) for weight in run.model.parameters()), draft.title
