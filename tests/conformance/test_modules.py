"""What holds for every attention, block and embedding, wherever it agrees to stand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hrmlab.attention import ATTENTION, Context
from hrmlab.blocks import BLOCKS, Place, Size
from hrmlab.embeddings import EMBEDDINGS, POSITIONS, EmbeddingRequest
from hrmlab.errors import ConfigError
from hrmlab.layers import rotation
from hrmlab.spec import Relation, Symbols, TaskSpec

WIDTH, HEADS, SIDE = 16, 2, 4
SIZE = Size(width=WIDTH, layers=1, heads=HEADS, expansion=2, round_to=8)
ROWS, COLUMNS = np.divmod(np.arange(SIDE * SIDE), SIDE)
SPEC = TaskSpec(
    seq_len=SIDE * SIDE,
    vocab_size=SIDE + 2,
    num_identifiers=3,
    shape=(SIDE, SIDE),
    relations=(
        Relation("row", groups=ROWS, tie="line"),
        Relation("column", groups=COLUMNS, tie="line"),
        Relation("left", neighbours=np.where(COLUMNS > 0, np.arange(SIDE * SIDE) - 1, -1)[:, None]),
    ),
    symbols=Symbols(tuple(range(2, SIDE + 2)), blank=1),
)


Wake = Callable[[nn.Module], nn.Module]


@dataclass(frozen=True)
class Case:
    """A module to build, what to call it with, and its name in the report."""

    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[int], tuple[Any, ...]]
    call: Callable[[nn.Module, Any], Tensor]
    shape: tuple[int, ...]


def place(slots: int = 0, symbol_axis: bool = False) -> Place:
    return Place(SIZE, SPEC, slots + SPEC.seq_len, slots, symbol_axis)


def context(positions: int) -> Context:
    return Context(rotation(positions, WIDTH // HEADS, 100.0))


def states(*shape: int) -> Callable[[int], tuple[Any, ...]]:
    return lambda rows: (torch.randn(rows, *shape, generator=torch.Generator().manual_seed(7)),)


def attentions() -> list[Case]:
    return [
        Case(
            f"attention-{entry.name}-{slots}slots{'-rotary' if angles.rotation else ''}",
            lambda entry=entry, slots=slots: entry.config().build(place(slots)),
            states(slots + SPEC.seq_len, WIDTH),
            lambda module, inputs, angles=angles: module(inputs[0], angles),
            (slots + SPEC.seq_len, WIDTH),
        )
        for entry in ATTENTION
        for slots, angles in ((0, Context()), (2, context(2 + SPEC.seq_len)))
    ]


def blocks() -> list[Case]:
    cases = []
    for entry in BLOCKS:
        for slots, symbol_axis in ((0, False), (2, False), (0, True)):
            here = place(slots, symbol_axis)
            shape = (here.positions, SIDE, WIDTH) if symbol_axis else (here.positions, WIDTH)
            angles = Context() if symbol_axis else context(here.positions)
            cases.append(
                Case(
                    f"block-{entry.name}-{slots}slots{'-symbols' if symbol_axis else ''}",
                    lambda entry=entry, here=here: entry.config().build(here),
                    states(*shape),
                    lambda module, inputs, angles=angles: module(inputs[0], angles),
                    shape,
                )
            )
    return cases


def embeddings() -> list[Case]:
    def inputs(slots: int) -> Callable[[int], tuple[Any, ...]]:
        def draw(rows: int) -> tuple[Any, ...]:
            generator = torch.Generator().manual_seed(7)
            tokens = torch.randint(0, SPEC.vocab_size, (rows, SPEC.seq_len), generator=generator)
            puzzle = torch.randn(rows, slots * WIDTH - 3, generator=generator) if slots else None
            return tokens, puzzle

        return draw

    return [
        Case(
            f"embedding-{entry.name}-{slots}slots-{positions.name}",
            lambda entry=entry, positions=positions, slots=slots: entry.config().build(
                EmbeddingRequest(WIDTH, SPEC, slots * WIDTH - 3 if slots else 0, slots, positions.config())
            ),
            inputs(slots),
            lambda module, given: module.logits(module(*given)),
            (SPEC.seq_len, SPEC.vocab_size),
        )
        for entry in EMBEDDINGS
        for slots in (0, 2)
        for positions in POSITIONS
    ]


def agrees(case: Case) -> bool:
    try:
        case.build()
    except ConfigError:
        return False
    return True


CASES = [case for case in (*attentions(), *blocks(), *embeddings()) if agrees(case)]
every_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def built(case: Case, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return case.build()


def rows_of(inputs: tuple[Any, ...], rows: list[int]) -> tuple[Any, ...]:
    return tuple(None if part is None else part[rows] for part in inputs)


@pytest.mark.parametrize("family", [ATTENTION, BLOCKS, EMBEDDINGS], ids=lambda registry: registry.family)
def test_every_member_stands_somewhere(family: Any):
    for name in family.names():
        assert any(case.name.startswith(f"{family.family}-{name}") for case in CASES), name


@every_case
def test_it_keeps_shape_and_dtype(case: Case):
    out = case.call(built(case), case.inputs(3))
    assert out.shape == (3, *case.shape) and out.dtype == torch.float32 and out.isfinite().all()


@pytest.mark.parametrize("case", [c for c in CASES if not c.name.startswith("embedding")], ids=lambda c: c.name)
def test_it_answers_in_low_precision_with_float32_weights(case: Case):
    module, (x,) = built(case), case.inputs(2)
    low = case.call(module, (x.bfloat16(),))
    assert low.dtype == torch.bfloat16 and all(p.dtype == torch.float32 for p in module.parameters())
    full = case.call(module, (x,))
    assert (low.float() - full).abs().mean() < 0.05 * full.abs().mean()


@every_case
def test_it_is_deterministic_from_its_seed_on(case: Case):
    one, same = (built(case, seed=3) for _ in range(2))
    inputs = case.inputs(2)
    first = case.call(one, inputs)
    assert torch.equal(first, case.call(one, inputs)) and torch.equal(first, case.call(same, inputs))


@every_case
def test_every_parameter_gets_a_finite_gradient_that_is_not_all_zero(case: Case, awake: Wake):
    module = awake(built(case))
    out = case.call(module, case.inputs(3))
    (out * torch.linspace(-1, 1, out.numel()).view(out.shape)).sum().backward()
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:  # frozen by its part
            continue
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.ne(0).any(), name


@every_case
def test_a_row_does_not_depend_on_its_neighbours(case: Case):
    module, inputs = built(case), case.inputs(4)
    together = case.call(module, inputs)
    for rows in ([2], [3, 0], [1, 1, 1]):
        torch.testing.assert_close(case.call(module, rows_of(inputs, rows)), together[rows], atol=1e-6, rtol=1e-5)


@every_case
def test_its_weights_load_into_another_and_make_it_the_same(case: Case):
    saved, loaded, inputs = built(case, seed=1), built(case, seed=2), case.inputs(2)
    assert not torch.equal(case.call(saved, inputs), case.call(loaded, inputs))
    loaded.load_state_dict(saved.state_dict(), strict=True)
    assert torch.equal(case.call(saved, inputs), case.call(loaded, inputs))


@every_case
def test_it_leaves_its_input_alone_and_does_not_care_for_its_layout(case: Case):
    module, inputs = built(case), case.inputs(3)
    before = [None if part is None else part.clone() for part in inputs]
    out = case.call(module, inputs)
    for part, was in zip(inputs, before, strict=True):
        assert was is None or torch.equal(part, was)
    turned = tuple(None if part is None else part.mT.contiguous().mT for part in inputs)
    torch.testing.assert_close(case.call(module, turned), out, atol=1e-6, rtol=1e-5)


@every_case
def test_training_and_evaluation_mode_and_recording_gradients_make_no_difference(case: Case):
    module, inputs = built(case), case.inputs(2)
    training = case.call(module.train(), inputs)
    with torch.inference_mode():
        assert torch.equal(training, case.call(module.eval(), inputs))


@pytest.mark.parametrize("entry", list(ATTENTION), ids=lambda entry: entry.name)
def test_attention_refuses_heads_that_do_not_divide_the_width(entry: Any):
    with pytest.raises(ConfigError, match="heads"):
        entry.config().build(replace(place(), size=replace(SIZE, heads=3)))


@pytest.mark.parametrize("entry", list(ATTENTION), ids=lambda entry: entry.name)
def test_attention_does_not_look_where_the_mask_forbids(entry: Any):
    torch.manual_seed(0)
    module, cells = entry.config().build(place()), SPEC.seq_len
    x, mask = torch.randn(2, cells, WIDTH), torch.ones(cells, cells, dtype=torch.bool)
    mask[:, 4] = False
    changed = x.clone()
    changed[:, 4] += 1
    others = [cell for cell in range(cells) if cell != 4]
    masked, unmasked = (module(x, Context(mask=m))[:, others] for m in (mask, None))
    torch.testing.assert_close(module(changed, Context(mask=mask))[:, others], masked)
    torch.testing.assert_close(module(x, Context(mask=mask[:1]))[:, others], masked)
    assert not torch.allclose(module(changed, Context())[:, others], unmasked)


LEADING = [case for case in CASES if hasattr(case.build(), "leading")]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("case", LEADING, ids=lambda case: case.name)
def test_its_leading_positions_are_those_of_all(case: Case, masked: bool):
    module, (x,), positions = built(case), case.inputs(2), case.shape[0]
    mask = torch.ones(positions, positions, dtype=torch.bool).tril() if masked else None
    angles = replace(context(positions), mask=mask)
    for count in (1, 5, positions):
        torch.testing.assert_close(module.leading(x, angles, count), module(x, angles)[:, :count], atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("case", [c for c in CASES if not c.name.startswith("embedding")], ids=lambda c: c.name)
def test_it_reads_no_value_on_the_host(case: Case):
    """Tensors without data raise at whatever would wait for a device; a CUDA graph can hold what passes."""
    module, (x,), positions = built(case).to("meta"), case.inputs(2), case.shape[0]
    angles = Context(tuple(part.to("meta") for part in rotation(positions, WIDTH // HEADS, 100.0)))
    out = module(x.to("meta"), angles if x.ndim == 3 else Context())
    assert out.is_meta and out.shape == x.shape
