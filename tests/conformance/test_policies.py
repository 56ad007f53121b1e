"""What holds for every halting policy and every token loss."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from views import view_of

from hrmlab.halting import HALTING, Glimpse, HaltingConfig, HaltingView, Outcome
from hrmlab.losses import IGNORE, LOSSES, LossConfig
from hrmlab.registry import Entry

every_policy = pytest.mark.parametrize("entry", list(HALTING), ids=lambda entry: entry.name)
every_loss = pytest.mark.parametrize("entry", list(LOSSES), ids=lambda entry: entry.name)
LONGEST = 4


def view(slots: int, seed: int = 0, *, scale: float = 3.0, **fields: Any) -> HaltingView:
    """Slots at different segments, with all that any policy may ask for."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randint(1, LONGEST + 1, (slots,), generator=generator, dtype=torch.int32)
    values, later, earlier = (torch.randn(slots, 2, generator=generator) * scale for _ in range(3))
    seen = view_of(steps, values, seed, ahead=later, earlier=earlier, check=even)
    return replace(seen, **fields)


def even(inputs: np.ndarray, answers: np.ndarray) -> np.ndarray:
    return answers.sum(-1) % 2 == 0


def remembering(policy: HaltingConfig, slots: int, seed: int = 0) -> HaltingView:
    """A view with the memory of another segment behind it."""
    return view(slots, seed, memory=policy.remember(view(slots, seed + 1000)))


def part(whole: HaltingView, rows: Any) -> HaltingView:
    def pick(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value[rows]
        if isinstance(value, Glimpse):
            return Glimpse(value.values[rows])
        return {name: tensor[rows] for name, tensor in value.items()} if isinstance(value, dict) else value

    return HaltingView(**{f.name: pick(getattr(whole, f.name)) for f in fields(whole)})


def outcome(slots: int) -> Outcome:
    return Outcome(torch.arange(slots) % 3 == 0, torch.linspace(0, 2, slots))


@every_policy
def test_it_says_what_it_needs_where_it_starts_and_how_it_fails(entry: Entry):
    said = " ".join((entry.config.__doc__ or "").split())
    for word in ("Needs: ", "Starts: ", "Fails: "):
        assert len(said.partition(word)[2].split(":")[0].split()) >= 2, f"{entry.name} does not say: {word}"


@every_policy
@settings(max_examples=15)
@given(slots=st.integers(1, 8), seed=st.integers(0, 999), first=st.integers(1, LONGEST), least=st.integers(1, 6))
def test_a_slot_halts_at_the_longest_and_never_before_it_is_allowed(
    entry: Entry, slots: int, seed: int, first: int, least: int
):
    policy = entry.config(max_segments=LONGEST, min_segments=least)
    seen = remembering(policy, slots, seed)
    halted = policy.halted(seen, torch.full((slots,), first, dtype=torch.int32))
    assert halted.shape == (slots,) and halted.dtype == torch.bool
    assert halted[seen.steps >= LONGEST].all()
    assert not halted[(seen.steps < max(first, least)) & (seen.steps < LONGEST)].any()


@every_policy
def test_a_single_segment_halts_everyone(entry: Entry):
    policy = entry.config(max_segments=1)
    seen = replace(view(3), steps=torch.ones(3, dtype=torch.int32))
    assert policy.halted(seen, torch.ones(3, dtype=torch.int32)).all() and not policy.looks_ahead(0)


@every_policy
@given(slots=st.integers(0, 8), seed=st.integers(0, 999), longest=st.integers(1, 9))
@settings(max_examples=15)
def test_first_allowed_lies_within_the_segments_and_repeats_with_its_generator(
    entry: Entry, slots: int, seed: int, longest: int
):
    policy = entry.config(max_segments=longest)
    drawn, again = (policy.first_allowed(slots, torch.Generator().manual_seed(seed)) for _ in range(2))
    in_inference = policy.first_allowed(slots, None)
    for draw in (drawn, in_inference):
        assert draw.shape == (slots,) and draw.dtype == torch.int32 and draw.device.type == "cpu"
        assert ((draw >= 1) & (draw <= longest)).all()
    assert torch.equal(drawn, again) and len(in_inference.unique()) <= 1


@every_policy
def test_the_usual_decision_is_readiness_over_the_cutoff(entry: Entry):
    policy = entry.config(max_segments=LONGEST)
    seen = remembering(policy, 8)
    ready = policy.readiness(seen)
    assert ready.shape == (8,) and ready.dtype == torch.float32 and not ready.isnan().any()
    over = ready > policy.cutoff
    wants = policy.wants_to_halt(seen)
    assert torch.equal(wants, over) if policy.independent else (wants | ~over).all()


@every_policy
def test_each_slot_is_judged_by_itself_and_nothing_is_changed(entry: Entry):
    policy = entry.config(max_segments=LONGEST)
    if not policy.independent:
        pytest.skip("decides over the whole batch, and says so (independent = False)")
    seen, before = remembering(policy, 8), remembering(policy, 8)
    first_allowed = torch.ones(8, dtype=torch.int32)
    together = policy.halted(seen, first_allowed)
    alone = [policy.halted(part(seen, slice(i, i + 1)), first_allowed[:1]).item() for i in range(8)]
    kept = [policy.remember(part(seen, slice(i, i + 1))) for i in range(8)]
    for name, tensor in policy.remember(seen).items():
        torch.testing.assert_close(torch.cat([one[name] for one in kept]), tensor)
    policy.losses(seen, outcome(8))
    assert together.tolist() == alone
    for f in fields(seen):
        if isinstance(getattr(seen, f.name), Tensor):
            assert torch.equal(getattr(seen, f.name), getattr(before, f.name)), f.name


@every_policy
def test_what_is_remembered_of_the_last_puzzle_says_nothing_about_the_next(entry: Entry):
    policy = entry.config(max_segments=LONGEST)
    fresh = replace(view(6), steps=torch.ones(6, dtype=torch.int32))
    stale = replace(fresh, memory=policy.remember(view(6, 77)))
    torch.testing.assert_close(policy.readiness(stale), policy.readiness(fresh))
    torch.testing.assert_close(policy.answer(stale), policy.answer(fresh))
    for name, tensor in policy.remember(fresh).items():
        torch.testing.assert_close(policy.remember(stale)[name], tensor)
        assert not tensor.requires_grad and len(tensor) == 6


@every_policy
def test_damping_is_a_share_of_the_way(entry: Entry):
    policy = entry.config(max_segments=LONGEST)
    share = policy.damping(remembering(policy, 8))
    assert share is None or (share.shape == (8,) and ((share > 0) & (share <= 1)).all())


@every_policy
@pytest.mark.parametrize("missing", ["ahead", "earlier", "both", "neither"])
def test_losses_are_finite_sums_over_the_slots(entry: Entry, missing: str):
    policy, right = entry.config(max_segments=LONGEST), outcome(8)
    gone = {"both": ("ahead", "earlier"), "neither": ()}.get(missing, (missing,))
    seen = view(8, scale=1e3, **dict.fromkeys(gone))
    whole = policy.losses(seen, right)
    halves = (slice(0, 3), slice(3, 8))
    parts = [policy.losses(part(seen, rows), Outcome(right.correct[rows], right.loss[rows])) for rows in halves]
    assert whole.keys() == parts[0].keys() == parts[1].keys()
    for name, loss in whole.items():
        assert loss.shape == () and loss.isfinite()
        torch.testing.assert_close(loss, sum(one[name] for one in parts))


@every_policy
def test_losses_send_finite_gradients_to_the_head_and_nowhere_else(entry: Entry):
    policy = entry.config(max_segments=LONGEST)
    seen = remembering(policy, 8)
    head = [seen.values.clone().requires_grad_(), seen.earlier.clone().requires_grad_()]
    logits = seen.logits.clone().requires_grad_()
    losses = policy.losses(replace(seen, values=head[0], earlier=head[1], logits=logits), outcome(8))
    if not losses:
        assert not policy.looks_ahead(0) and not policy.looks_back
        return
    gradients = torch.autograd.grad(sum(losses.values()), [*head, logits], allow_unused=True)
    assert gradients[0].isfinite().all() and gradients[0].ne(0).any()
    assert gradients[1] is None or gradients[1].isfinite().all()
    assert gradients[2] is None


@every_policy
def test_extreme_values_give_finite_gradients(entry: Entry):
    policy, seen = entry.config(max_segments=LONGEST), view(8, scale=1e3)
    values = seen.values.clone().requires_grad_()
    losses = policy.losses(replace(seen, values=values), outcome(8))
    if losses:
        (gradient,) = torch.autograd.grad(sum(losses.values()), values)
        assert gradient.isfinite().all()


@every_policy
def test_halting_records_no_gradient(entry: Entry):
    policy = entry.config()
    seen = replace(view(4), values=view(4).values.requires_grad_())
    halted = policy.halted(seen, seen.steps)
    assert not halted.requires_grad and isinstance(policy, HaltingConfig)
    assert not policy.answer(seen).requires_grad


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
