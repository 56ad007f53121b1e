"""Registries: a name is given once, listed in order, and found or refused with a hint."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest

from hrmlab.config import decode
from hrmlab.errors import ConfigError
from hrmlab.registry import Entry, Part, Registry


@pytest.fixture
def family() -> type[Part]:
    class Fruit(Part):
        registry: ClassVar[Registry] = Registry("fruit")
        kind: str

    @Fruit.registry.register(source="a garden")
    @dataclass(frozen=True, kw_only=True)
    class Pear(Fruit):
        """Green and soft.

        More about pears.
        """

        kind: Literal["pear"] = "pear"
        weight: int = 3

    return Fruit


def add_apple(family: type[Part]) -> type:
    @family.registry.register(source="a tree")
    @dataclass(frozen=True, kw_only=True)
    class Apple(family):  # type: ignore[misc,valid-type]
        """Red."""

        kind: Literal["apple"] = "apple"

    return Apple


def test_an_entry_takes_its_summary_from_the_first_line_of_the_docstring(family: type[Part]):
    entry = family.registry.get("pear")
    assert (entry.family, entry.name, entry.summary, entry.source) == ("fruit", "pear", "Green and soft.", "a garden")
    assert entry.config(weight=4).weight == 4


def test_registering_gives_the_class_back_and_iteration_is_in_order_of_names(family: type[Part]):
    apple = add_apple(family)
    assert family.registry.names() == ["apple", "pear"]
    assert [entry.name for entry in family.registry] == ["apple", "pear"]
    assert family.registry.get("apple") == Entry("fruit", "apple", "Red.", "a tree", apple)


def test_a_name_given_twice_is_an_error_and_the_first_stays(family: type[Part]):
    first = add_apple(family)
    with pytest.raises(ConfigError, match=r"fruit 'apple' is registered already, by .*Apple"):
        add_apple(family)
    assert family.registry.get("apple").config is first


def test_an_unknown_name_is_refused_with_the_nearest(family: type[Part]):
    with pytest.raises(ConfigError, match=r"unknown fruit 'pera'; did you mean 'pear'\? \(known: pear\)"):
        family.registry.get("pera")


def test_a_part_registered_later_is_accepted_from_then_on(family: type[Part]):
    with pytest.raises(ConfigError, match="unknown fruit 'apple'"):
        decode(family, "apple")
    apple = add_apple(family)
    assert decode(family, "apple") == apple()


def test_a_single_member_decodes_as_itself_and_refuses_its_siblings(family: type[Part]):
    apple = add_apple(family)
    assert decode(apple, {}) == apple()
    with pytest.raises(ConfigError, match="kind"):
        decode(apple, {"kind": "pear"})
