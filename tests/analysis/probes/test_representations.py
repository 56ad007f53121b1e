"""D-19 to D-22 on models with planted states."""

import pytest
import torch

from hrmlab.analysis.probes.critical_step import CriticalStep
from hrmlab.analysis.probes.decoding import Decoding
from hrmlab.analysis.probes.difficulty import Difficulty
from hrmlab.analysis.probes.dormant_units import DormantUnits
from hrmlab.analysis.probes.effective_rank import EffectiveRank
from hrmlab.analysis.probes.participation_ratio import ParticipationRatio
from hrmlab.analysis.probes.patterns import Patterns
from hrmlab.analysis.probes.similarity import Similarity
from hrmlab.analysis.probes.token_collapse import TokenCollapse, apart
from hrmlab.blocks import MLPMixer
from hrmlab.core.schedules import Levels, SingleState, TRMSchedule
from hrmlab.embeddings import NoPositions
from hrmlab.embeddings.puzzle import PuzzleConfig

ALL = (
    *(ParticipationRatio(), EffectiveRank(), TokenCollapse(), Similarity(), DormantUnits()),
    *(Decoding(), CriticalStep(), Patterns(), Difficulty()),
)


def put(subject, network, change):
    """Replace what a network of the model gives."""
    subject.model.networks[network].register_forward_hook(lambda _m, _a, out: change(out))


@pytest.mark.parametrize(
    "parts",
    [
        {"puzzle": PuzzleConfig(width=16)},
        {"schedule": TRMSchedule(high_cycles=1, low_cycles=2)},
        {"schedule": Levels(periods=(1, 2, 2))},
        {"schedule": SingleState(cycles=2), "block": MLPMixer(), "positions": NoPositions()},
    ],
)
def test_every_architecture_is_measured(subject, parts):
    one = subject(segments=3, **parts)
    before = {name: value.clone() for name, value in one.model.state_dict().items()}
    drawn = torch.random.get_rng_state()
    for probe in ALL:
        found = probe.run(one)
        assert found.verdict in ("ok", "info") or probe.kind in ("patterns", "difficulty"), found.findings
        assert len({tuple(row) for row in found.table}) == 1 or probe.kind == "critical_step"
        assert all(value == value for row in found.table for value in row.values())
    assert torch.equal(drawn, torch.random.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in one.model.state_dict().items())


def test_states_on_one_line_have_one_dimension(subject):
    one = subject(segments=2)
    line = torch.randn(16)
    put(one, "high", lambda out: (out @ line)[..., None] * line)
    found = ParticipationRatio().run(one)
    assert found.scalars["high_naive"] == pytest.approx(1, abs=1e-4)
    assert found.scalars["high_by_rows"] == pytest.approx(1, abs=0.05)
    assert found.scalars["low_by_rows"] > 2
    assert found.scalars["ratio"] < 1
    rank = EffectiveRank().run(one)
    assert [finding.rule for finding in rank.findings] == ["effective_rank.collapsed"]
    assert "'high'" in rank.findings[0].seen


def test_trajectories_are_swept_and_the_control_is_there(subject):
    found = ParticipationRatio().run(subject(segments=2))
    assert [row["trajectories"] for row in found.table if (row["model"], row["level"]) == ("untrained", "low")] == [
        10,
        12,
    ]
    assert next(row for row in found.table if row["trajectories"] == 10)["rows"] == 10 * 2 * 16


def test_pooling_by_the_mean_leaves_one_row_a_segment(subject):
    found = ParticipationRatio(pooling="mean").run(subject(segments=2))
    assert found.scalars["pooling"] == "mean"
    assert found.table[-1]["rows"] == 12 * 2


def test_too_few_puzzles_are_said(subject, puzzles):
    one = subject(examples=puzzles.test.part(slice(2)))
    for probe in (ParticipationRatio(), EffectiveRank(), Similarity()):
        found = probe.run(one)
        assert found.verdict == "n/a" and "2 puzzles" in found.why


def test_spread_by_hand():
    spread, cosine = apart(torch.eye(2)[None])
    assert float(spread) == pytest.approx(0.5**0.5)
    assert float(cosine) == pytest.approx(0, abs=1e-6)
    spread, cosine = apart(torch.ones(1, 5, 3))
    assert float(spread) == pytest.approx(0, abs=1e-6) and float(cosine) == pytest.approx(1, abs=1e-5)


def test_positions_that_all_hold_their_mean_are_found(subject):
    one = subject(segments=2)
    put(one, "high", lambda out: out.mean(1, keepdim=True).expand_as(out))
    found = TokenCollapse().run(one)
    assert [finding.rule for finding in found.findings] == ["token_collapse.collapsed"]
    assert "'high'" in found.findings[0].seen
    assert found.scalars["high_last"] < 1e-3 < found.scalars["low_last"]


def test_levels_that_hold_the_same_thing_are_found(subject):
    one = subject(segments=2)
    latest = {}
    put(one, "low", lambda out: latest.update(low=out))
    put(one, "high", lambda _out: 2 * latest["low"])
    found = Similarity().run(one)
    assert [finding.rule for finding in found.findings] == ["similarity.same_levels"]
    assert found.scalars["high_low_last"] == pytest.approx(1, abs=1e-5)
    assert found.verdict == "info"


def test_similarity_is_a_table_of_all_pairs(subject):
    found = Similarity().run(subject(segments=3))
    values = {(r["a"], r["a_segment"], r["b"], r["b_segment"]): r["similarity"] for r in found.table}
    assert len(values) == 6 * 6
    assert values["low", 1, "high", 2] == values["high", 2, "low", 1]
    assert values["low", 1, "low", 1] == pytest.approx(1)
