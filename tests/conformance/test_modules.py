"""What holds for every attention, block and embedding, wherever it agrees to stand: the rules of `hrm check`."""

from dataclasses import replace
from typing import Any

import pytest

from hrmlab.attention import ATTENTION
from hrmlab.blocks import BLOCKS
from hrmlab.checks.asking import Skipped
from hrmlab.checks.cases import SIZE, Case, cases, place
from hrmlab.checks.modules import RULES
from hrmlab.embeddings import EMBEDDINGS
from hrmlab.errors import ConfigError
from hrmlab.registry import Entry

FAMILIES = (ATTENTION, BLOCKS, EMBEDDINGS)
PLACES = {entry.family + entry.name: cases(entry) for family in FAMILIES for entry in family}
CASES = [case for found in PLACES.values() for case in found]


@pytest.mark.parametrize("entry", [entry for family in FAMILIES for entry in family], ids=lambda entry: entry.name)
def test_every_member_stands_somewhere(entry: Entry):
    assert PLACES[entry.family + entry.name]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_rule_holds(case: Case, rule: str):
    try:
        RULES[rule](case)
    except Skipped:
        return  # a rule of other families, or of parts that have what this one has not


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_asked_of_some(rule: str):
    asked = 0
    for found in PLACES.values():
        try:
            RULES[rule](found[0])
            asked += 1
        except Skipped:
            continue
    assert asked


@pytest.mark.parametrize("entry", list(ATTENTION), ids=lambda entry: entry.name)
def test_attention_refuses_heads_that_do_not_divide_the_width(entry: Any):
    with pytest.raises(ConfigError, match="heads"):
        entry.config().build(replace(place(), size=replace(SIZE, heads=3)))
