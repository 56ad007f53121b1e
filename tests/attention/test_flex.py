"""FlexAttention: the lists of blocks and the rule against the mask, and torch's own computation with them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from hrmlab.attention import Context, Flex, Place, Windowed
from hrmlab.attention.windowed import window
from hrmlab.layers import rotation
from hrmlab.spec import TaskSpec

BOARD = TaskSpec(seq_len=18 * 20, vocab_size=3, shape=(18, 20))
SLOTS = 3
POSITIONS = SLOTS + BOARD.seq_len  # in three blocks of 128, of which two are seen by each of the outer ones


@pytest.fixture
def place(make_place: Callable[..., Place]) -> Place:
    return make_place(BOARD, slots=SLOTS)


def test_it_is_windowed_where_it_cannot_skip(make_place: Callable[..., Place]) -> None:
    for here in (make_place(slots=1), make_place(BOARD)):
        module, masked = Flex().build(here), Windowed(reach=2).build(here)
        masked.load_state_dict(module.state_dict())
        x = torch.randn(1, here.positions, 16)
        assert torch.equal(module(x, Context()), masked(x, Context()))


def test_heads_too_narrow_for_its_kernels_take_the_masked_product(place: Place) -> None:
    wide = replace(place, size=replace(place.size, width=32))
    assert place.size.head_width == 8 and not Flex().build(place).fits and Flex().build(wide).fits


def test_the_rule_is_the_window(place: Place) -> None:
    module = Flex(reach=2).build(place)
    query, key = torch.meshgrid(torch.arange(POSITIONS), torch.arange(POSITIONS), indexing="ij")
    nothing = torch.zeros((), dtype=torch.int64)
    assert torch.equal(module.rule(nothing, nothing, query, key), torch.from_numpy(window(place, 2)))


def test_blocks_that_nobody_looks_at_are_not_in_the_lists(make_place: Callable[..., Place]) -> None:
    module = Flex(reach=2).build(make_place(BOARD))
    assert module.blocks == 3
    assert module.partly_count.tolist() == [2, 3, 2] and module.wholly_count.tolist() == [0, 0, 0]
    assert module.partly[0, :2].tolist() == [0, 1] and module.partly[2, :2].tolist() == [1, 2]
    everything = Flex(reach=30).build(make_place(BOARD))
    assert everything.wholly_count.tolist() == [2, 2, 0]  # the last block is not full


@torch.no_grad()  # on a CPU torch's own has no backward pass
@pytest.mark.filterwarnings("ignore")  # torch warns that its plain form is slow
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_torch_computes_the_same(place: Place, compiled: bool) -> None:
    """Compiled it reads the lists of blocks; plain it applies the rule to every pair."""
    from torch.nn.attention.flex_attention import flex_attention

    module, x = Flex(reach=2).build(place), torch.randn(2, POSITIONS, 16)
    context = Context(rotation(POSITIONS, 8, 100.0))
    kernel = module.compiled if compiled else flex_attention
    parts = module.prepared(*module.projected(x), context)
    torch.testing.assert_close(module.by_blocks(kernel, *parts), module.mixed(x, context))


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore")  # of the compiler's own
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_it_is_the_masked_product_with_its_gradients(place: Place) -> None:
    place = replace(place, size=replace(place.size, width=32))
    module, x = Flex(reach=2).build(place).cuda(), torch.randn(2, POSITIONS, 32, device="cuda")
    assert module.fits
    everywhere = torch.ones(POSITIONS, POSITIONS, dtype=torch.bool, device="cuda")
    found = []
    for context in (Context(), Context(mask=everywhere)):  # a mask of the context's own is not skipped by
        out = module(x, context)
        found.append((out, *torch.autograd.grad(out.square().sum(), list(module.parameters()))))
    torch.testing.assert_close(*found, atol=1e-3, rtol=1e-3)
