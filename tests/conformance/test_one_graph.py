"""torch.compile finds nothing in an attention or a block at which it would have to return to Python."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from hrmlab.attention import ATTENTION, Context, Place
from hrmlab.blocks import BLOCKS
from hrmlab.errors import ConfigError
from hrmlab.layers import rotation


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, while it imports its compiler
@pytest.mark.parametrize("entry", [*ATTENTION, *BLOCKS], ids=lambda entry: f"{entry.family}-{entry.name}")
def test_it_is_one_graph(make_place: Callable[..., Place], entry: Any) -> None:
    torch._dynamo.reset()
    place = make_place()
    try:
        module = entry.config().build(place)
    except ConfigError:
        place = make_place(symbols=True)
        module = entry.config().build(place)
    cells = (place.positions, 4, 16) if place.symbol_axis else (place.positions, 16)
    x, context = torch.randn(2, *cells), Context() if place.symbol_axis else Context(rotation(16, 8, 100.0))
    compiled = torch.compile(module, fullgraph=True, dynamic=False, backend="eager")
    torch.testing.assert_close(compiled(x, context), module(x, context))
