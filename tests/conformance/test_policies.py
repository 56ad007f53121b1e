"""What holds for every halting policy and every token loss."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hrmlab.halting import HALTING, HaltingConfig, HaltingView
from hrmlab.losses import IGNORE, LOSSES, LossConfig
from hrmlab.registry import Entry

every_policy = pytest.mark.parametrize("entry", list(HALTING), ids=lambda entry: entry.name)
every_loss = pytest.mark.parametrize("entry", list(LOSSES), ids=lambda entry: entry.name)
LONGEST = 4


def view(slots: int, seed: int = 0, *, ahead: bool = True, scale: float = 3.0) -> HaltingView:
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randint(1, LONGEST + 1, (slots,), generator=generator, dtype=torch.int32)
    values, later = (torch.randn(slots, 2, generator=generator) * scale for _ in range(2))
    return HaltingView(steps, values, later if ahead else None)


def part(whole: HaltingView, rows: Any) -> HaltingView:
    return HaltingView(whole.steps[rows], whole.values[rows], None if whole.ahead is None else whole.ahead[rows])


def correct(slots: int) -> Tensor:
    return torch.arange(slots) % 3 == 0


@every_policy
@settings(max_examples=15)
@given(slots=st.integers(1, 8), seed=st.integers(0, 999), first=st.integers(1, LONGEST))
def test_a_slot_halts_at_the_longest_and_never_before_it_is_allowed(entry: Entry, slots: int, seed: int, first: int):
    policy, seen = entry.config(max_segments=LONGEST), view(slots, seed)
    halted = policy.halted(seen, torch.full((slots,), first, dtype=torch.int32))
    assert halted.shape == (slots,) and halted.dtype == torch.bool
    assert halted[seen.steps >= LONGEST].all()
    assert not halted[(seen.steps < first) & (seen.steps < LONGEST)].any()


@every_policy
def test_a_single_segment_halts_everyone(entry: Entry):
    policy = entry.config(max_segments=1)
    seen = HaltingView(torch.ones(3, dtype=torch.int32), torch.randn(3, 2))
    assert policy.halted(seen, torch.ones(3, dtype=torch.int32)).all() and not policy.looks_ahead


@every_policy
@given(slots=st.integers(0, 8), seed=st.integers(0, 999), longest=st.integers(1, 9))
@settings(max_examples=15)
def test_first_allowed_lies_within_the_segments_and_repeats_with_its_generator(
    entry: Entry, slots: int, seed: int, longest: int
):
    policy = entry.config(max_segments=longest)
    drawn, again = (policy.first_allowed(slots, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert drawn.shape == (slots,) and drawn.dtype == torch.int32 and drawn.device.type == "cpu"
    assert ((drawn >= 1) & (drawn <= longest)).all()
    assert torch.equal(drawn, again)


@every_policy
def test_each_slot_is_judged_by_itself_and_nothing_is_changed(entry: Entry):
    policy, seen = entry.config(max_segments=LONGEST), view(8)
    before = view(8)
    first_allowed = torch.ones(8, dtype=torch.int32)
    together = policy.halted(seen, first_allowed)
    alone = [policy.halted(part(seen, slice(i, i + 1)), first_allowed[:1]).item() for i in range(8)]
    policy.losses(seen, correct(8))
    assert together.tolist() == alone
    assert torch.equal(seen.values, before.values) and torch.equal(seen.steps, before.steps)


@every_policy
@pytest.mark.parametrize("ahead", [True, False])
def test_losses_are_finite_sums_over_the_slots(entry: Entry, ahead: bool):
    policy, seen, right = entry.config(max_segments=LONGEST), view(8, ahead=ahead, scale=1e3), correct(8)
    whole = policy.losses(seen, right)
    parts = [policy.losses(part(seen, rows), right[rows]) for rows in (slice(0, 3), slice(3, 8))]
    assert whole.keys() == parts[0].keys() == parts[1].keys()
    for name, loss in whole.items():
        assert loss.shape == () and loss.isfinite() and loss >= 0
        torch.testing.assert_close(loss, sum(one[name] for one in parts))


@every_policy
def test_losses_send_finite_gradients_to_the_values(entry: Entry):
    seen = view(8, scale=1e3)
    values = seen.values.clone().requires_grad_()
    losses = entry.config(max_segments=LONGEST).losses(HaltingView(seen.steps, values, seen.ahead), correct(8))
    if not losses:
        assert not entry.config().looks_ahead
        return
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss, values)
        assert gradient.isfinite().all() and gradient.ne(0).any(), name


@every_policy
def test_halting_records_no_gradient(entry: Entry):
    seen = view(4)
    halted = entry.config().halted(HaltingView(seen.steps, seen.values.requires_grad_()), seen.steps)
    assert not halted.requires_grad and isinstance(entry.config(), HaltingConfig)


def logits_and_labels(rows: int = 3, scale: float = 2.0, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = (torch.randn(rows, 5, 7, generator=generator) * scale).to(dtype)
    labels = torch.randint(0, 7, (rows, 5), generator=generator)
    labels[0, 1] = labels[2, 4] = IGNORE
    return logits, labels


def loss_of(entry: Entry) -> LossConfig:
    return entry.config()


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("scale", [0.0, 2.0, 1e4])
def test_a_loss_is_one_finite_float32_a_token(entry: Entry, dtype: torch.dtype, scale: float):
    logits, labels = logits_and_labels(scale=scale, dtype=dtype)
    losses = loss_of(entry)(logits.requires_grad_(), labels)
    losses.sum().backward()
    assert losses.shape == labels.shape and losses.dtype == torch.float32
    assert losses.isfinite().all() and logits.grad.isfinite().all() and logits.grad.dtype == dtype
    assert losses.min() >= -1e-5


@every_loss
def test_unscored_tokens_give_exactly_zero_and_no_gradient(entry: Entry):
    logits, labels = logits_and_labels()
    losses = loss_of(entry)(logits.requires_grad_(), labels)
    losses.sum().backward()
    unscored = labels == IGNORE
    assert losses[unscored].eq(0).all() and logits.grad[unscored].eq(0).all()
    assert logits.grad[~unscored].ne(0).any(-1).all()
    nothing = loss_of(entry)(logits.detach(), torch.full_like(labels, IGNORE))
    assert torch.equal(nothing, torch.zeros(3, 5))


@every_loss
def test_each_token_is_scored_by_itself(entry: Entry):
    logits, labels = logits_and_labels()
    together = loss_of(entry)(logits, labels)
    for row in range(3):
        for cell in range(5):
            alone = loss_of(entry)(logits[row, cell][None, None], labels[row, cell][None, None])
            torch.testing.assert_close(alone[0, 0], together[row, cell])


@every_loss
def test_raising_the_labels_logit_lowers_the_loss(entry: Entry):
    logits, labels = logits_and_labels()
    labels[labels == IGNORE] = 0
    raised = logits + torch.nn.functional.one_hot(labels, 7)
    assert (loss_of(entry)(raised, labels) < loss_of(entry)(logits, labels)).all()


@every_loss
def test_labels_may_be_of_any_integer_type_and_are_not_changed(entry: Entry):
    logits, labels = logits_and_labels()
    before = labels.clone()
    assert torch.equal(loss_of(entry)(logits, labels.int()), loss_of(entry)(logits, labels))
    assert torch.equal(labels, before)


@every_loss
def test_gradients_are_those_of_finite_differences_also_at_zero(entry: Entry):
    logits, labels = logits_and_labels(rows=3)
    logits[1] = 0.0
    logits.requires_grad_()
    loss_of(entry)(logits, labels).sum().backward()
    direction = torch.randn(logits.shape, generator=torch.Generator().manual_seed(8))
    for row in range(3):
        towards = torch.zeros_like(direction)
        towards[row] = direction[row]
        with torch.no_grad():
            above, below = (loss_of(entry)(logits + s * 1e-3 * towards, labels).double().sum() for s in (1, -1))
        slope = (logits.grad * towards).sum().double()
        torch.testing.assert_close(slope, (above - below) / 2e-3, atol=5e-3, rtol=5e-3)
