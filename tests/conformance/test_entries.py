"""What holds for every part of every family, registered now or later: found by name, described, decoded, encoded."""

import json
from dataclasses import fields, make_dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.attention import ATTENTION, AttentionConfig
from hrmlab.blocks import BLOCKS, BlockConfig
from hrmlab.config import decode, encode, json_schema, override
from hrmlab.core.schedules import SCHEDULES, ScheduleConfig
from hrmlab.embeddings import EMBEDDINGS, POSITIONS, EmbeddingConfig, PositionsConfig
from hrmlab.errors import ConfigError
from hrmlab.halting import HALTING, HaltingConfig
from hrmlab.losses import LOSSES, LossConfig
from hrmlab.registry import Entry, Part, Strict
from hrmlab.studies.engines import ENGINES, Engine
from hrmlab.training.optimisers import OPTIMISERS, OptimiserConfig
from hrmlab.training.rows import ROW_OPTIMISERS, RowOptimiserConfig
from hrmlab.transitions import INJECTIONS, RETENTIONS, InjectionConfig, RetentionConfig

FAMILIES = {
    AttentionConfig: ATTENTION,
    BlockConfig: BLOCKS,
    EmbeddingConfig: EMBEDDINGS,
    PositionsConfig: POSITIONS,
    HaltingConfig: HALTING,
    LossConfig: LOSSES,
    ScheduleConfig: SCHEDULES,
    OptimiserConfig: OPTIMISERS,
    RowOptimiserConfig: ROW_OPTIMISERS,
    InjectionConfig: INJECTIONS,
    RetentionConfig: RETENTIONS,
    Engine: ENGINES,
}
ENTRIES = [(base, entry) for base, registry in FAMILIES.items() for entry in registry]
every_entry = pytest.mark.parametrize(
    ("base", "entry"), ENTRIES, ids=[f"{entry.family}-{entry.name}" for _, entry in ENTRIES]
)


def drawn(entry: Entry) -> st.SearchStrategy[Any]:
    """The entry's configuration with small values of the right types; fields that hold parts keep their defaults."""
    small = {int: st.integers(1, 99), float: st.floats(1e-3, 0.99), bool: st.booleans(), str: st.text(max_size=5)}
    values = {}
    for field in fields(entry.config):
        options = getattr(field.type, "__args__", (field.type,))
        if field.type is float and isinstance(field.default, float) and field.default > 1:
            values[field.name] = st.floats(1, 99)
        elif field.type in small:
            values[field.name] = small[field.type]
        elif type(None) in options and small.keys() & set(options):
            values[field.name] = st.none() | small[next(o for o in options if o in small)]
    return st.builds(entry.config, **values)


@every_entry
def test_it_says_what_it_is_and_where_it_comes_from(base: type[Part], entry: Entry):
    assert len(entry.summary.split()) >= 3 and not entry.summary.startswith(f"{entry.config.__name__}(")
    assert entry.source.strip()
    assert entry.family == base.registry.family


@every_entry
def test_it_is_a_frozen_member_of_its_family_under_its_own_kind(base: type[Part], entry: Entry):
    part = entry.config()
    assert isinstance(part, base) and part.kind == entry.name
    with pytest.raises(AttributeError):
        part.kind = "other"
    assert hash(part) == hash(entry.config()) and part == entry.config()


@every_entry
def test_its_bare_name_decodes_to_its_defaults(base: type[Part], entry: Entry):
    assert decode(base, entry.name) == decode(base, {"kind": entry.name}) == entry.config()


@every_entry
@settings(max_examples=4)
@given(data=st.data())
def test_it_survives_json(base: type[Part], entry: Entry, data: st.DataObject):
    part = data.draw(drawn(entry))
    assert decode(base, json.loads(json.dumps(encode(part)))) == part


@every_entry
def test_it_can_be_chosen_by_name_on_the_command_line(base: type[Part], entry: Entry):
    holder = make_dataclass("Holder", [("part", base)], bases=(Strict,), frozen=True)
    other = next((e for e in base.registry if e.name != entry.name), entry)
    assert override(holder(other.config()), [f"part={entry.name}"]).part == entry.config()
    assert override(holder(other.config()), [f"part.kind={entry.name}"]).part == entry.config()


@every_entry
def test_it_refuses_keys_that_it_does_not_have_and_lists_those_it_has(base: type[Part], entry: Entry):
    with pytest.raises(ConfigError, match="unknown key 'surprise'") as raised:
        decode(base, {"kind": entry.name, "surprise": 1})
    assert all(field.name in str(raised.value) for field in fields(entry.config))


@every_entry
def test_its_json_schema_closes_it_to_other_keys(base: type[Part], entry: Entry):
    found = [s for s in json_schema(base)["$defs"].values() if s.get("title") == entry.config.__name__]
    assert len(found) == 1 and found[0]["additionalProperties"] is False
    assert found[0]["properties"].keys() == {field.name for field in fields(entry.config)}


@pytest.mark.parametrize("base", FAMILIES, ids=[registry.family for registry in FAMILIES.values()])
def test_a_family_has_members_and_names_them_when_asked_for_another(base: type[Part]):
    assert base.registry is FAMILIES[base] and base.registry.names()
    with pytest.raises(ConfigError) as raised:
        decode(base, "no such thing")
    assert all(f"{name}" in str(raised.value) for name in base.registry.names())
