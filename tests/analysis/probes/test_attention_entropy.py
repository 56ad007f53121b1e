"""D-30: equal weights have entropy one, sharp ones are found, and the bound stays below."""

import torch

from hrmlab.analysis.probes.attention_entropy import AttentionEntropy


def scaled(one, factor: float):
    """The subject with the queries and keys of all its heads that much longer."""
    with torch.no_grad():
        for network in one.model.networks.values():
            for block in network.blocks:
                block.attention.qkv.weight[: 2 * 16] *= factor
    return one


def test_equal_weights(subject):
    found = AttentionEntropy(puzzles=4, segments=2).run(scaled(subject(), 0.0))
    assert found.verdict == "ok" and found.scalars["entropy"] == 1 and found.scalars["low_heads"] == 0
    assert all(row["bound"] == 1 and abs(row["top_key"] - 1 / 16) < 1e-6 for row in found.table)
    assert len(found.table) == 2 * 6 * 2 * 2  # segments, updates, blocks, heads


def test_a_fresh_model_is_sound_and_above_its_bound(subject):
    found = AttentionEntropy(puzzles=4, segments=2).run(subject())
    assert found.verdict == "ok"
    assert all(row["bound"] <= row["entropy"] + 1e-6 for row in found.table)
    assert all(row["right"] is None and row["wrong"] == row["entropy"] for row in found.table)  # nothing is right


def test_collapse_is_found(subject):
    one = scaled(subject(settings={"training": {"optimiser": {"lr": 0.02}}}), 1000.0)
    found = AttentionEntropy(puzzles=4, segments=1).run(one)
    [finding] = found.findings
    assert finding.rule == "attention_entropy.collapsed" and finding.observed == 1
    assert finding.patch == {"training.optimiser.lr": 0.01}
