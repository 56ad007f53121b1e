"""Replacements do what their names say, and nothing where they would put back what was there."""

from collections.abc import Callable

import pytest
import torch

from hrmlab.analysis.tracing import hooks, trace, unroll
from hrmlab.analysis.tracing.patches import WAYS, frozen, recorded, replaced, without_head
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.spec import TaskSpec


@pytest.fixture
def model(make_spec: Callable[..., TaskSpec], make_model: Callable[..., HRM]) -> HRM:
    return make_model(make_spec()).eval()


@pytest.fixture
def batch(model: HRM, make_batch: Callable[..., Batch]) -> Batch:
    return make_batch(model.spec, 3)


@torch.no_grad()
def answers(model: HRM, batch: Batch, segments: int = 3) -> torch.Tensor:
    return torch.stack([output.logits for output in unroll(model, batch, segments)], 1)


def test_ways_on_a_tensor_by_hand() -> None:
    tensor, generator = torch.tensor([[[1.0, 0.0]], [[3.0, 4.0]]]), torch.Generator().manual_seed(0)
    assert WAYS["zero"](tensor, generator).abs().sum() == 0
    assert WAYS["mean"](tensor, generator).tolist() == [[[2.0, 2.0]]] * 2
    assert WAYS["swap"](tensor, generator).tolist() == [[[3.0, 4.0]], [[1.0, 0.0]]]
    drawn = WAYS["resample"](tensor, generator)
    assert all(row.tolist() in tensor.flatten(0, 1).tolist() for row in drawn.flatten(0, 1))
    moved = WAYS["noise"](tensor, generator) - tensor
    assert torch.allclose(moved.norm(dim=-1), tensor.norm(dim=-1))


def test_putting_back_what_was_recorded_changes_nothing(model: HRM, batch: Batch) -> None:
    kept = trace(model, batch, "*.state", 3, reduce=None)
    with hooks(model, forward=[("*.state", recorded(kept))], segments=3):
        assert torch.equal(answers(model, batch), kept.logits)


def test_a_state_of_another_time_is_what_the_other_time_had(model: HRM, batch: Batch) -> None:
    kept = trace(model, batch, "*.state", 3, reduce=None)
    with hooks(model, forward=[("seg2/*.state", recorded(kept, shift=-1))], segments=3):
        shifted = answers(model, batch)
    assert torch.equal(shifted[:, :2], kept.logits[:, :2])
    assert torch.equal(shifted[:, 2], kept.logits[:, 1])


def test_a_trace_that_lacks_the_address_says_so(model: HRM, batch: Batch) -> None:
    kept = trace(model, batch, "seg0/low.state", 1, reduce=None)
    with pytest.raises(ConfigError, match="holds no seg1"), hooks(model, forward=[("low.state", recorded(kept))]):
        answers(model, batch)


def test_a_frozen_level_keeps_its_first_state(model: HRM, batch: Batch) -> None:
    first: list[torch.Tensor] = []

    def keep(tensor: torch.Tensor, /, *, at: object) -> None:
        first.append(tensor)

    with hooks(model, forward=[("low.state", frozen()), ("low.state", keep)], segments=3):
        answers(model, batch)
    assert all(torch.equal(tensor, first[0]) for tensor in first)


def test_an_unknown_way_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'resample'"):
        replaced("resampled")


def test_without_every_head_attention_gives_nothing(model: HRM, batch: Batch) -> None:
    heads = model.config.size.heads
    silenced = [("low.0.attn.heads", without_head(head, heads)) for head in range(heads)]
    seen = []
    with hooks(model, forward=[*silenced, ("low.0.attn.out", lambda x, /, *, at: seen.append(x))]):
        model(model.empty_carry(batch).states, batch)
    assert all(not tensor.any() for tensor in seen)
