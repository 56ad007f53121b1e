"""The strict edge: round trips, sentences for mistakes, overrides, schema."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.attention import SDPA
from hrmlab.blocks import BlockConfig, MLPMixer, PostNorm, Relational, Size
from hrmlab.config import decode, encode, json_schema, load_json, override
from hrmlab.core.model import ModelConfig
from hrmlab.core.networks import NetworkConfig
from hrmlab.core.schedules import HRMSchedule, Levels, ScheduleConfig, TRMSchedule
from hrmlab.embeddings import Learned, NoPositions, PuzzleConfig, Rotary, SymbolAxis, Tokens
from hrmlab.errors import ConfigError
from hrmlab.halting import Correctness, Fixed, HaltingConfig, QLearning
from hrmlab.losses import LossConfig, SoftmaxCrossEntropy, StablemaxCrossEntropy
from hrmlab.registry import Strict
from hrmlab.training.config import DataConfig, TrainingConfig
from hrmlab.training.optimisers import AdamAtan2Config, AdamW, MuonConfig, OptimiserConfig


@dataclass(frozen=True, kw_only=True)
class Run(Strict):
    """A run without its task, which is not under test here."""

    name: str = "run"
    model: ModelConfig = field(
        default_factory=lambda: ModelConfig(
            schedule=HRMSchedule(), block=PostNorm(), embedding=Tokens(), positions=Rotary()
        )
    )
    training: TrainingConfig = field(default_factory=lambda: TrainingConfig(optimiser=AdamW(), steps=10))
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=SoftmaxCrossEntropy)
    halting: HaltingConfig = field(default_factory=QLearning)


small = st.integers(1, 2000)
rates = st.floats(1e-6, 1, allow_nan=False)
schedules = st.one_of(
    st.builds(HRMSchedule, high_cycles=small, low_cycles=small, grad_window=st.none() | small),
    st.builds(TRMSchedule, high_cycles=small, low_cycles=small),
    st.builds(Levels, periods=st.lists(small, min_size=2, max_size=4).map(tuple)),
)
blocks = st.one_of(
    st.builds(PostNorm, attention=st.just(SDPA()), eps=rates),
    st.builds(MLPMixer, eps=rates),
    st.builds(Relational, relations=st.none() | st.lists(st.text(max_size=5), max_size=3).map(tuple)),
)
sizes = st.builds(
    Size,
    width=small,
    layers=small,
    expansion=rates,
)
models = st.builds(
    ModelConfig,
    schedule=schedules,
    block=blocks,
    embedding=st.sampled_from([Tokens(), SymbolAxis()]),
    positions=st.sampled_from([NoPositions(), Learned(), Rotary(theta=7.5)]),
    puzzle=st.none() | st.builds(PuzzleConfig, width=small, slots=st.none() | small, init_std=rates),
    size=sizes,
    networks=st.dictionaries(
        st.sampled_from(["high", "low"]),
        st.builds(NetworkConfig, layers=st.none() | small, blocks=st.dictionaries(st.integers(0, 9), blocks)),
    ),
)
optimisers = st.one_of(
    st.builds(AdamW, lr=rates, betas=st.tuples(rates, rates)),
    st.builds(AdamAtan2Config, lr=rates),
    st.builds(MuonConfig, momentum=rates, rest=st.builds(AdamAtan2Config, weight_decay=rates)),
)
runs = st.builds(
    Run,
    name=st.text(max_size=10),
    model=models,
    training=st.builds(
        TrainingConfig,
        optimiser=optimisers,
        steps=small,
        seconds=st.none() | rates,
        decay=st.sampled_from(["constant", "cosine", "linear"]),
        clip=st.none() | rates,
    ),
    loss=st.sampled_from([SoftmaxCrossEntropy(), StablemaxCrossEntropy(float64=True)]),
    halting=st.one_of(
        st.builds(QLearning, max_segments=small, exploration=rates),
        st.builds(Correctness, threshold=rates),
        st.builds(Fixed, max_segments=small),
    ),
)


def message(cls: type, data: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        decode(cls, data)
    return str(raised.value)


def model_data(**changes: Any) -> dict[str, Any]:
    return {"schedule": "hrm", "block": "post_norm", "embedding": "tokens", "positions": "rotary", **changes}


@settings(max_examples=15)
@given(run=runs)
def test_a_configuration_survives_json(run: Run):
    assert decode(Run, json.loads(json.dumps(encode(run)))) == run


def test_overriding_nothing_changes_nothing():
    assert override(Run(), []) == Run()


def test_encoding_gives_plain_data_that_shares_nothing_with_the_configuration():
    network = NetworkConfig(blocks={1: MLPMixer()})
    data = encode(network)
    data["blocks"].clear()
    assert network.blocks == {1: MLPMixer()}
    levels = {"kind": "levels", "grad_window": None, "input_to": "fastest", "neumann": 0, "periods": [3, 2]}
    assert encode(Levels(periods=(3, 2))) == levels


def test_a_bare_name_stands_for_a_part_with_its_defaults():
    assert decode(BlockConfig, "post_norm") == PostNorm()
    assert decode(ModelConfig, model_data(schedule="trm")).schedule == TRMSchedule()


def test_nested_parts_are_told_apart_by_kind():
    data = {"kind": "muon", "momentum": 0.5, "rest": {"kind": "adam_atan2", "lr": 0.25}}
    assert decode(OptimiserConfig, data) == MuonConfig(momentum=0.5, rest=AdamAtan2Config(lr=0.25))


def test_an_unknown_key_is_named_with_the_nearest_and_all_known():
    text = message(ModelConfig, model_data(blok="post_norm"))
    assert "unknown key 'blok'; did you mean 'block'?" in text
    known = "answers, block, embedding, halting_head, initial, injection, networks, positions, puzzle, retention"
    assert f"(known: {known}, schedule, size)" in text


@pytest.mark.parametrize(
    ("changes", "path", "key", "nearest"),
    [
        ({"size": {"widht": 3}}, "size.", "widht", "width"),
        ({"puzzle": {"slotz": 3}}, "puzzle.", "slotz", "slots"),
        ({"schedule": {"kind": "hrm", "low_cycle": 3}}, "schedule.", "low_cycle", "low_cycles"),
        (
            {"block": {"kind": "post_norm", "attention": {"kind": "sdpa", "kinds": 1}}},
            "block.attention.",
            "kinds",
            "kind",
        ),
    ],
)
def test_an_unknown_key_inside_is_named_with_its_path_and_the_nearest(
    changes: dict[str, Any], path: str, key: str, nearest: str
):
    text = message(ModelConfig, model_data(**changes))
    assert path in text and f"{key}'" in text
    assert f"did you mean '{nearest}'?" in text


@pytest.mark.parametrize(
    ("family", "data"),
    [
        (OptimiserConfig, {"kind": "muon", "rest": {"kind": "adamw", "lrr": 1}}),
        (BlockConfig, {"kind": "post_norm", "attention": {"kind": "sdpa", "lrr": 1}}),
    ],
)
def test_an_unknown_key_inside_a_part_of_a_family_decoded_on_its_own_is_named(family: type, data: dict[str, Any]):
    assert "lrr" in message(family, data)


def test_an_unknown_kind_is_named_with_its_path_the_nearest_and_all_known():
    text = message(ModelConfig, model_data(block={"kind": "post_norm", "attention": "spda"}))
    assert "block.attention: unknown attention 'spda'; did you mean 'sdpa'?" in text
    text = message(ModelConfig, model_data(schedule={"kind": "hrn"}))
    assert "schedule: unknown schedule 'hrn'; did you mean 'hrm'?" in text
    for name in ScheduleConfig.registry.names():
        assert name in text.partition("known: ")[2]


def test_a_part_without_a_kind_is_told_which_exist():
    assert "halting: needs a 'kind', one of: all_of, answer_stability, any_of, budget, confidence, " in message(
        Run, {"halting": {"max_segments": 3}}
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": {"width": "wide"}}, 'size.width="wide": input should be a valid integer'),
        ({"size": {"width": 2.5}}, "size.width=2.5: input should be a valid integer"),
        (
            {"halting_head": {"readout": "last"}},
            "halting_head.readout=\"last\": input should be 'first', 'mean', 'attention' or 'input'",
        ),
        (
            {"schedule": {"kind": "levels", "periods": [1, "a"]}},
            'schedule.periods.1="a": input should be a valid integer',
        ),
        ({"block": {"kind": "post_norm", "eps": []}}, "block.eps=[]: input should be a valid number"),
        ({"networks": {"high": {"layers": "x"}}}, 'networks.high.layers="x": input should be a valid integer'),
    ],
)
def test_a_value_of_the_wrong_type_is_named_by_its_dotted_path_without_tags(changes: dict[str, Any], sentence: str):
    assert sentence in message(ModelConfig, model_data(**changes))


def test_missing_keys_are_all_named_at_once():
    text = message(ModelConfig, {"schedule": "hrm", "positions": "none"})
    assert "block is missing" in text and "embedding is missing" in text
    assert "schedule" not in text


def test_data_that_are_no_mapping_are_refused():
    assert "the whole=3" in message(ModelConfig, 3)


def test_a_reason_of_the_configuration_itself_comes_through():
    assert "a run needs a budget" in message(TrainingConfig, {"optimiser": "adamw"})
    assert "batch_size=0; wanted 1 or more" in message(
        TrainingConfig, {"optimiser": "adamw", "steps": 1, "batch_size": 0}
    )


def test_override_of_one_key_keeps_the_rest():
    run = Run(
        model=ModelConfig(schedule=HRMSchedule(low_cycles=5), block=PostNorm(), embedding=Tokens(), positions=Rotary())
    )
    changed = override(run, ["model.schedule.high_cycles=3", "training.batch_size=7"])
    assert changed.model.schedule == HRMSchedule(high_cycles=3, low_cycles=5)
    assert changed.training == TrainingConfig(optimiser=AdamW(), steps=10, batch_size=7)
    assert run.training.batch_size == 64


@pytest.mark.parametrize("key", ["model.schedule", "model.schedule.kind"])
def test_override_of_a_part_by_name_starts_from_its_defaults(key: str):
    run = Run(
        model=ModelConfig(schedule=HRMSchedule(low_cycles=5), block=PostNorm(), embedding=Tokens(), positions=Rotary())
    )
    assert override(run, [f"{key}=trm"]).model.schedule == TRMSchedule()
    assert override(run, [f"{key}=trm", "model.schedule.low_cycles=2"]).model.schedule == TRMSchedule(low_cycles=2)


def test_override_of_a_part_by_its_own_name_resets_it_but_of_its_kind_alone_does_not():
    run = Run(halting=QLearning(exploration=0.5))
    assert override(run, ["halting=q_learning"]).halting == QLearning()
    assert override(run, ["halting.kind=q_learning"]).halting == QLearning(exploration=0.5)


@pytest.mark.parametrize(
    ("assignment", "get", "value"),
    [
        ("training.clip=none", lambda run: run.training.clip, None),
        ("training.clip=null", lambda run: run.training.clip, None),
        ("training.clip=1e-3", lambda run: run.training.clip, 1e-3),
        ("data.augment=true", lambda run: run.data.augment, True),
        ("data.augment=True", lambda run: run.data.augment, True),
        ("data.augment=False", lambda run: run.data.augment, False),
        ("data.path=a/b=c", lambda run: run.data.path, "a/b=c"),
        ('name="7"', lambda run: run.name, "7"),
        ("training.optimiser.betas=[0.5, 0.75]", lambda run: run.training.optimiser.betas, (0.5, 0.75)),
        ('model.size={"width": 32}', lambda run: run.model.size, Size(width=32)),
        ('halting={"kind": "fixed", "max_segments": 2}', lambda run: run.halting, Fixed(max_segments=2)),
        ("model.puzzle.width=48", lambda run: run.model.puzzle, PuzzleConfig(width=48)),
        (" model.size.width =48", lambda run: run.model.size.width, 48),
    ],
)
def test_override_reads_values_as_json_or_else_as_text(assignment: str, get: Any, value: Any):
    before, after = get(Run()), get(override(Run(), [assignment]))
    assert after == value and type(after) is type(value)
    assert after != before or assignment == "data.augment=False"


def test_override_by_none_takes_an_optional_part_away():
    run = override(Run(), ["model.puzzle.width=48"])
    assert override(run, ["model.puzzle=none"]) == Run()


def test_override_may_name_the_positions_called_none():
    assert override(Run(), ["model.positions=none"]).model.positions == NoPositions()


@pytest.mark.parametrize("assignment", ["model.size.width", "=3", ""])
def test_an_override_without_key_or_equals_says_what_was_wanted(assignment: str):
    with pytest.raises(ConfigError, match=r"is not an override; wanted dotted\.key=value"):
        override(Run(), [assignment])


@pytest.mark.parametrize(
    ("assignment", "parts"),
    [
        ("modle.size.width=3", ["'modle'", "did you mean 'model'?"]),
        ("model.size.widht=3", ["model.size", "widht'", "did you mean 'width'?"]),
        ("model.sice.width=3", ["'model'", "'sice'", "did you mean 'size'?"]),
        ("model.block.esp=3", ["model.block", "esp'", "did you mean 'eps'?"]),
        ("model.block=post_nrm", ["model.block: unknown block 'post_nrm'", "did you mean 'post_norm'?"]),
        ("model.size.width.x=3", ["model.size.width", "'x'"]),
        ("model.size.width=wide", ['model.size.width="wide": input should be a valid integer']),
    ],
)
def test_a_wrong_override_names_path_and_nearest(assignment: str, parts: list[str]):
    with pytest.raises(ConfigError) as raised:
        override(Run(), [assignment])
    for part in parts:
        assert part in str(raised.value)


def objects(schema: Any) -> list[dict[str, Any]]:
    """Every object schema that lists properties, wherever it stands."""
    if isinstance(schema, list):
        return [found for item in schema for found in objects(item)]
    if not isinstance(schema, dict):
        return []
    here = [schema] if schema.get("type") == "object" and "properties" in schema else []
    return here + [found for item in schema.values() for found in objects(item)]


def test_json_schema_allows_no_unknown_keys_anywhere_and_lists_every_part():
    schema = json_schema(Run)
    found = objects(schema)
    titles = {one["title"] for one in found}
    assert {"Run", "ModelConfig", "Size", "PostNorm", "SDPA", "QLearning", "MuonConfig", "Levels"} <= titles
    assert all(one["additionalProperties"] is False for one in found)
    json.dumps(schema)


def test_a_configuration_file_decodes_and_its_faults_name_the_file(tmp_path: Path):
    path = tmp_path / "config.json"
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*config\.json: No such file"):
        load_json(path, Size)
    path.write_text("{")
    with pytest.raises(ConfigError, match=r"config\.json is not JSON"):
        load_json(path, Size)
    path.write_text('{"widht": 3}')
    with pytest.raises(ConfigError, match=r"config\.json: unknown key 'widht'; did you mean 'width'\?"):
        load_json(path, Size)
    path.write_text('{"width": 24}')
    assert load_json(path, Size) == Size(width=24)
