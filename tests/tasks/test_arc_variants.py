"""Variants of puzzles: inverses, names, and what is drawn from a seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.tasks.arc.source import Puzzle
from hrmlab.tasks.arc.variants import INVERSE, Variant, choose, parse_name, turned
from hrmlab.tasks.board import dihedral

VARIANTS = st.builds(
    Variant,
    st.integers(0, 7),
    st.permutations(range(1, 10)).map(lambda colours: (0, *colours)),
)


def random_grid(seed: int, shape: tuple[int, int] = (4, 6), colours: int = 10) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, colours, shape).astype(np.uint8)


def puzzle(name: str = "a", colours: int = 10, shape: tuple[int, int] = (4, 6)) -> Puzzle:
    pairs = [(random_grid(2 * i, shape, colours), random_grid(2 * i + 1, shape, colours)) for i in range(3)]
    return Puzzle(name, "training", tuple(pairs[:2]), tuple(pairs[2:]))


@given(VARIANTS, st.integers(0, 2**32))
def test_every_variant_is_undone(variant: Variant, seed: int) -> None:
    grid = random_grid(seed)
    changed = variant.apply(grid)
    assert np.array_equal(variant.undo(changed), grid) and np.array_equal(variant.apply(variant.undo(grid)), grid)
    assert changed.dtype == np.uint8
    assert np.array_equal(changed == 0, turned(grid, variant.symmetry) == 0), "black stays black"


def test_symmetries_are_numbered_as_those_of_boards() -> None:
    grid = random_grid(0, (5, 5))
    for number, gather in enumerate(dihedral(5, 5)):
        assert np.array_equal(turned(grid, number).reshape(-1), grid.reshape(-1)[gather])
        assert np.array_equal(turned(turned(grid, number), INVERSE[number]), grid)


@given(VARIANTS, st.text("abc0123_|t", min_size=1, max_size=12))
def test_names_say_which_variant(variant: Variant, name: str) -> None:
    assert parse_name(variant.name(name)) == (name, variant) or variant == Variant()
    other = f"{name}|||t{variant.symmetry}|||{''.join(map(str, variant.colours))}"
    assert parse_name(other) == (name, variant)


def test_names_of_puzzles_themselves() -> None:
    assert Variant().name("007bbfb7") == "007bbfb7"
    assert Variant(3).name("007bbfb7") == "007bbfb7_t3_0123456789"
    for name in ("007bbfb7", "AboveBelow1", "a_t8_0123456789", "a_t3_0113456789", "a_t3_1023456789", "a_t3_012345678"):
        assert parse_name(name) == (name, Variant())


@given(st.integers(0, 2**32), st.integers(0, 40))
def test_what_is_drawn_depends_on_seed_and_name(seed: int, count: int) -> None:
    first, again, more = (choose(puzzle(), n, seed) for n in (count, count, count + 5))
    assert np.array_equal(first.symmetries, again.symmetries) and np.array_equal(first.colours, again.colours)
    assert np.array_equal(first.colours, more.colours[: len(first)])
    assert len(first) == count + 1
    names = first.names("a")
    assert names[0] == "a" and len(set(names)) == count + 1
    if count > 4:
        assert choose(puzzle("b"), count, seed).names("a") != names
        assert choose(puzzle(), count, seed + 1).names("a") != names


def test_pinned_on_any_machine() -> None:
    assert choose(puzzle(), 2, 7).names("a") == PINNED


def test_variants_differ_in_their_grids() -> None:
    # Two colours beside black nowhere, one cell: 9 variants of the colour and nothing else.
    dots = Puzzle("dot", "training", *(((np.full((1, 1), 3, np.uint8),) * 2,),) * 2)
    found = choose(dots, 1000, 0)
    assert len(found) == 9 and len({c[3] for c in found.colours.tolist()}) == 9
    black = Puzzle("black", "training", *(((np.zeros((2, 3), np.uint8),) * 2,),) * 2)
    assert len(choose(black, 100, 0)) == 2, "lying and standing"
    few = puzzle(colours=2, shape=(1, 2))
    contents = {
        tuple(turned(np.asarray(colours, np.uint8)[grid], symmetry).tobytes() + bytes(turned(grid, symmetry).shape)
              for pair in few.pairs for grid in pair)
        for symmetry, colours in zip(*(part.tolist() for part in vars(choose(few, 500, 1)).values()), strict=True)
    }  # fmt: skip
    assert len(contents) == len(choose(few, 500, 1))


def test_negative_numbers() -> None:
    for count, seed in ((-1, 0), (1, -1)):
        with pytest.raises(DataError, match="wanted numbers of 0 or more"):
            choose(puzzle(), count, seed)


PINNED = ["a", "a_t5_0692513748", "a_t6_0835491762"]
