"""Where attentions, blocks and embeddings are tried: small boards with and without puzzle slots and symbol axis."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hrmlab.attention import Context, Place, Size
from hrmlab.embeddings import POSITIONS, EmbeddingRequest
from hrmlab.errors import ConfigError
from hrmlab.layers import rotation
from hrmlab.registry import Entry
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

Inputs = tuple[Tensor | None, ...]


@dataclass(frozen=True)
class Case:
    """A module to build and how to call it.

    inputs: of so many rows, the same each time: a state, or tokens and puzzle vectors.
    call: the module's answer to inputs, its context replaced where one is given.
    shape: of the answer, without the rows.
    context: what the module is told beside the state; None for embeddings.
    """

    name: str
    family: str
    build: Callable[[], nn.Module]
    inputs: Callable[[int], Inputs]
    shape: tuple[int, ...]
    context: Context | None

    def built(self, seed: int = 0) -> nn.Module:
        torch.manual_seed(seed)
        return self.build()

    def call(self, module: nn.Module, inputs: Inputs, context: Context | None = None) -> Tensor:
        out: Tensor
        if self.context is None:
            embedding: Any = module
            out = embedding.logits(embedding(*inputs))
        else:
            out = module(*inputs, context or self.context)
        return out


def cases(entry: Entry) -> list[Case]:
    """Every place where a part agrees to stand."""
    found = _embeddings(entry) if entry.family == "embedding" else _stacked(entry)
    return [case for case in found if _agrees(case)]


def place(slots: int = 0, symbol_axis: bool = False) -> Place:
    """The small board, with so many leading positions for the puzzle's vector."""
    return Place(SIZE, SPEC, slots + SPEC.seq_len, slots, symbol_axis)


def turned(positions: int) -> Context:
    """A context with rotary angles."""
    return Context(rotation(positions, WIDTH // HEADS, 100.0))


def _stacked(entry: Entry) -> Iterator[Case]:
    spots = [(0, False), (2, False)] + [(0, True)] * (entry.family == "block")
    for slots, symbol_axis in spots:
        here = place(slots, symbol_axis)
        shape = (here.positions, SIDE, WIDTH) if symbol_axis else (here.positions, WIDTH)
        plain = symbol_axis or (entry.family == "attention" and not slots)

        def build(here: Place = here) -> nn.Module:
            module: nn.Module = entry.config().build(here)
            return module

        def inputs(rows: int, shape: tuple[int, ...] = shape) -> Inputs:
            return (torch.randn(rows, *shape, generator=torch.Generator().manual_seed(7)),)

        name = f"{entry.family}-{entry.name}-{slots}slots{'-symbols' if symbol_axis else ''}"
        yield Case(name, entry.family, build, inputs, shape, Context() if plain else turned(here.positions))


def _embeddings(entry: Entry) -> Iterator[Case]:
    for slots in (0, 2):
        for positions in POSITIONS:
            width = slots * WIDTH - 3 if slots else 0
            request = EmbeddingRequest(WIDTH, SPEC, width, slots, positions.config())

            def build(request: EmbeddingRequest = request) -> nn.Module:
                module: nn.Module = entry.config().build(request)
                return module

            def inputs(rows: int, width: int = width) -> Inputs:
                generator = torch.Generator().manual_seed(7)
                tokens = torch.randint(0, SPEC.vocab_size, (rows, SPEC.seq_len), generator=generator)
                return tokens, torch.randn(rows, width, generator=generator) if width else None

            name = f"embedding-{entry.name}-{slots}slots-{positions.name}"
            yield Case(name, "embedding", build, inputs, (SPEC.seq_len, SPEC.vocab_size), None)


def _agrees(case: Case) -> bool:
    try:
        case.build()
    except ConfigError:
        return False
    return True
