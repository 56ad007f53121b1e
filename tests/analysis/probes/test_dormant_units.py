"""D-23: units that are silenced by hand are counted, and no others."""

import pytest
import torch

from hrmlab.analysis.probes.dormant_units import DormantUnits, loudness, scores


def silence(subject, network, share):
    """Set the first units of a network's first feed-forward layer to zero; how many they are."""
    layer = subject.model.networks[network].blocks[0].mlp
    hidden = layer.down.weight.shape[1]
    count = round(share * hidden)
    with torch.no_grad():
        layer.gate_up.weight[hidden : hidden + count] = 0
    return count / hidden


def test_silenced_units_are_found(subject):
    one = subject(segments=2)
    share = silence(one, "low", 0.5)
    found = DormantUnits().run(one)
    assert [finding.rule for finding in found.findings] == ["dormant_units.wasted"]
    assert found.scalars["low.0.mlp.hidden_always"] == pytest.approx(share)
    assert found.scalars["high.0.mlp.hidden_always"] < 0.05


def test_a_few_are_no_fault(subject):
    one = subject(segments=2)
    silence(one, "low", 0.1)
    assert DormantUnits().run(one).verdict == "ok"


def test_a_unit_quiet_in_one_level_only_is_not_always_dormant(subject):
    one = subject(segments=2)
    calls = []

    def every_other(_module, args):
        calls.append(None)
        hidden = args[0].clone()
        hidden[..., :4] *= len(calls) % 2
        return (hidden,)

    one.model.networks["low"].blocks[0].mlp.down.register_forward_pre_hook(every_other)
    found = DormantUnits().run(one)
    row = next(row for row in found.table if row["site"] == "low.0.mlp.hidden")
    assert row["always"] == 0
    assert row["sometimes"] == pytest.approx(4 / row["units"])


def test_scores_by_hand():
    hidden = torch.tensor([[[1.0, -3.0], [1.0, 1.0]]])
    assert loudness(hidden).tolist() == [[1.0, 2.0]]
    assert scores(torch.tensor([[1.0, 3.0], [1.0, 3.0]])).tolist() == [0.5, 1.5]


def test_a_network_without_hidden_layers_is_not_applicable(subject):
    one = subject(segments=2)
    for network in one.model.networks.values():
        for block in network.blocks:
            block.mlp = torch.nn.Identity()
    assert DormantUnits().run(one).verdict == "n/a"
