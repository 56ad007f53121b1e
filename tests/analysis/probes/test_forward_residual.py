"""D-09: lengths of steps, by hand."""

import torch

from hrmlab.analysis.probes.forward_residual import ForwardResidual
from hrmlab.analysis.tracing import trace


def test_numbers_are_those_of_the_states(subject):
    one = subject(segments=2)
    found = ForwardResidual().run(one)
    states = trace(one.model, one.batch, "low.state", 2, reduce=None)
    a, b = list(states.values())[:2]
    step = (b - a).flatten(1).norm(dim=1)
    row = next(row for row in found.table if row["segment"] == 0 and row["row"] == 1)
    assert abs(row["residual"] - float(step.quantile(0.5))) < 1e-3
    assert abs(row["relative"] - float((step / b.flatten(1).norm(dim=1)).quantile(0.5))) < 1e-4
    assert len(found.table) == 2 * 6
    assert found.verdict == "ok"


def test_a_level_that_never_moves_is_found(subject):
    one = subject(segments=2)
    still = one.model.initial_states()["low"]
    one.model.networks["low"].register_forward_hook(lambda _m, _a, out: torch.zeros_like(out) + still)
    found = ForwardResidual().run(one)
    assert [finding.rule for finding in found.findings] == ["forward_residual.frozen"]
    assert "'low'" in found.findings[0].seen
