"""The model: published sizes, puzzle slots, what may not be put together."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from hrmlab.blocks import MLPMixer, PostNorm, PreNorm, Relational, Size
from hrmlab.config import decode, encode
from hrmlab.core.carry import Batch
from hrmlab.core.matrices import named_matrices
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.networks import NetworkConfig
from hrmlab.core.schedules import HRMSchedule, TRMSchedule
from hrmlab.embeddings import Learned, NoPositions, PuzzleConfig, Rotary, SymbolAxis, Tokens
from hrmlab.errors import ConfigError
from hrmlab.spec import TaskSpec

MakeModel, MakeSpec, MakeBatch = Callable[..., HRM], Callable[..., TaskSpec], Callable[..., Batch]
SUDOKU = TaskSpec(seq_len=81, vocab_size=11)
HRM_REFERENCE = ModelConfig(
    schedule=HRMSchedule(), block=PostNorm(), embedding=Tokens(), positions=Rotary(), puzzle=PuzzleConfig()
)


def on_meta(config: ModelConfig) -> HRM:
    """A model of the published size, without the memory."""
    with torch.device("meta"):
        return HRM(config, SUDOKU)


def config(**changes: Any) -> ModelConfig:
    parts: dict[str, Any] = {
        "schedule": HRMSchedule(),
        "block": PostNorm(),
        "embedding": Tokens(),
        "positions": Rotary(),
        "size": Size(width=16, layers=1, heads=2, expansion=2, round_to=8),
    }
    return ModelConfig(**(parts | changes))


def test_hrm_at_the_reference_size_has_the_published_number_of_parameters():
    assert on_meta(HRM_REFERENCE).parameter_count() == 27_275_266


def test_trm_with_attention_has_one_network_of_two_layers():
    model = on_meta(
        ModelConfig(
            schedule=TRMSchedule(),
            block=PostNorm(),
            embedding=Tokens(),
            positions=Rotary(),
            puzzle=PuzzleConfig(slots=16),
            size=Size(layers=2),
        )
    )
    layer = 4 * 512 * 512 + 3 * 512 * 1536
    assert list(model.networks) == ["high"]
    assert model.parameter_count() == 2 * layer + 2 * 11 * 512 + (2 * 512 + 2)


def test_trm_with_the_mixer_mixes_cells_and_puzzle_slots_without_attention():
    model = on_meta(
        ModelConfig(
            schedule=TRMSchedule(),
            block=MLPMixer(),
            embedding=Tokens(),
            positions=NoPositions(),
            puzzle=PuzzleConfig(slots=16),
            size=Size(layers=2),
        )
    )
    layer = 3 * 97 * 512 + 3 * 512 * 1536
    assert model.parameter_count() == 2 * layer + 2 * 11 * 512 + (2 * 512 + 2)
    assert model.embedding.slots == 16


@pytest.mark.parametrize("changes", [{}, {"schedule": TRMSchedule(low_cycles=2)}, {"block": MLPMixer()}])
def test_a_segment_gives_logits_by_cell_and_two_values_by_puzzle(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, changes: dict[str, Any]
):
    spec = make_spec()
    model, batch = make_model(spec, puzzle=PuzzleConfig(width=40), **changes), make_batch(spec, 3)
    carry = model.empty_carry(batch)
    output = model(carry.states, batch)
    assert output.logits.shape == (3, 16, 6) and output.values.shape == (3, 2)
    assert {state.shape for state in output.states.values()} == {(3, 3 + 16, 16)}  # 40 numbers fill three slots of 16
    assert output.puzzle_rows.shape == (3, 40)


def test_puzzle_rows_receive_the_gradient_and_the_table_is_no_parameter(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch
):
    spec = make_spec()
    model, batch = make_model(spec, puzzle=PuzzleConfig(width=24, init_std=1.0)), make_batch(spec, 3)
    output = model(model.empty_carry(batch).states, batch)
    output.logits.square().sum().backward()
    assert output.puzzle_rows.grad.shape == (3, 24) and output.puzzle_rows.grad.abs().sum(-1).gt(0).all()
    assert "puzzles.rows" in model.state_dict() and "puzzles.rows" not in dict(model.named_parameters())


def test_the_puzzle_vector_changes_the_answer(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch):
    spec = make_spec()
    model, batch = make_model(spec, puzzle=PuzzleConfig(width=16, init_std=1.0)), make_batch(spec, 1)
    states = model.empty_carry(batch).states
    with torch.no_grad():
        one, other = (
            model(states, Batch(batch.inputs, batch.labels, torch.tensor([identifier]))).logits for identifier in (1, 2)
        )
    assert not torch.allclose(one, other)


def test_a_table_may_keep_few_numbers_in_few_rows(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch):
    spec = make_spec()
    config = PuzzleConfig(width=16, rank=3, buckets=4, init_std=1.0)
    model, batch = make_model(spec, puzzle=config), make_batch(spec, 3)
    assert model.puzzles.rows.shape == (4, 3)
    where = model.puzzles.at(torch.arange(1000))
    assert where[0] == 0 and set(where[1:].tolist()) == {1, 2, 3}
    assert where[1:].bincount(minlength=4)[1:].min() > 250
    output = model(model.empty_carry(batch).states, batch)
    assert output.puzzle_rows.shape == (3, 3)
    output.logits.sum().backward()
    assert output.puzzle_rows.grad.ne(0).any() and model.puzzles.expand.weight.grad.ne(0).any()


def test_an_empty_carry_has_every_slot_halted_at_the_initial_states(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch
):
    spec = make_spec()
    model = make_model(spec, puzzle=PuzzleConfig(width=16))
    carry = model.empty_carry(make_batch(spec, 4))
    assert carry.halted.tolist() == [True] * 4 and carry.steps.tolist() == [0] * 4
    for level, start in zip(model.schedule.levels, model.initial, strict=True):
        assert torch.equal(carry.states[level], start.expand(4, 17, 16))


def test_initial_states_are_saved_but_not_trained_and_differ_between_levels(make_model: MakeModel, make_spec: MakeSpec):
    model = make_model(make_spec())
    assert "initial" in model.state_dict() and "initial" not in dict(model.named_parameters())
    assert not torch.equal(model.initial_states()["high"], model.initial_states()["low"])
    assert model.compute_dtype == torch.float32


def test_initial_states_may_be_learned_or_zero(make_spec: MakeSpec, make_batch: MakeBatch):
    zero = HRM(config(initial="zero"), make_spec())
    assert zero.initial.eq(0).all() and "initial" in zero.state_dict()
    spec = make_spec()
    learned, batch = HRM(config(initial="learned", schedule=HRMSchedule(grad_window=6)), spec), make_batch(spec, 2)
    assert "initial" in dict(learned.named_parameters())
    carry = learned.empty_carry(batch)
    carry = carry.refill(learned.initial_states(), batch, carry.first_allowed)
    learned(carry.states, batch).logits.sum().backward()
    assert learned.initial.grad is not None and learned.initial.grad.ne(0).any(dim=1).all()


def test_networks_may_differ(make_spec: MakeSpec):
    own = NetworkConfig(layers=3, heads=4, expansion=8, blocks={1: MLPMixer()})
    model = HRM(config(networks={"low": own}), make_spec())
    high, low = model.networks["high"], model.networks["low"]
    assert [type(block).__name__ for block in low.blocks] == ["PostNormBlock", "MixerBlock", "PostNormBlock"]
    assert (low.blocks[0].attention.heads, high.blocks[0].attention.heads) == (4, 2)
    assert low.blocks[0].mlp.down.weight.shape[1] > high.blocks[0].mlp.down.weight.shape[1]
    assert [type(block).__name__ for block in high.blocks] == ["PostNormBlock"] * len(high.blocks)


def test_heads_of_another_width_turn_by_angles_of_their_own(make_spec: MakeSpec, make_batch: MakeBatch):
    spec = make_spec()
    batch = make_batch(spec, 2)
    model = HRM(config(positions=Rotary(), networks={"low": NetworkConfig(heads=4)}), spec)
    widths = {name: network.rotary and network.rotary.cos.shape[-1] for name, network in model.networks.items()}
    assert widths == {"low": 4, "high": None}
    logits = model(model.empty_carry(batch).states, batch).logits
    assert logits.isfinite().all()
    turned = model.networks["low"].rotary
    turned.cos, turned.sin = torch.ones_like(turned.cos), torch.zeros_like(turned.sin)
    assert not torch.allclose(logits, model(model.empty_carry(batch).states, batch).logits)


def test_a_network_that_ends_otherwise_ends_as_its_own_block_does(make_spec: MakeSpec):
    model = HRM(config(networks={"low": NetworkConfig(block=PreNorm())}), make_spec())
    assert model.networks["low"].finish is not None and model.networks["high"].finish is None


@pytest.mark.parametrize(
    ("networks", "sentence"),
    [
        ({"lo": NetworkConfig(layers=3)}, "model.networks: unknown network 'lo'; did you mean 'low'"),
        (
            {"low": NetworkConfig(layers=2, blocks={2: MLPMixer()})},
            "network 'low' has no block 2: it has 2.*low.layers=3",
        ),
        ({"low": NetworkConfig(heads=3)}, "cannot be split over 3 heads"),
    ],
)
def test_networks_that_cannot_be_are_refused(make_spec: MakeSpec, networks: dict[str, NetworkConfig], sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        HRM(config(networks=networks), make_spec())


@pytest.mark.parametrize("name", ["layers", "width", "heads", "expansion"])
@pytest.mark.parametrize("value", [0, -3])
def test_a_network_of_no_size_is_refused(name: str, value: int):
    with pytest.raises(ConfigError, match=f"a network's {name}={value} came; wanted more than 0"):
        NetworkConfig(**{name: value})


def test_a_configuration_of_old_says_layers_of_networks_in_its_size():
    old = encode(config()) | {"size": encode(Size()) | {"network_layers": {"high": 6}}}
    assert decode(ModelConfig, old).networks == {"high": NetworkConfig(layers=6)}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": Size(width=16, heads=3)}, "width 16 cannot be split over 3 heads"),
        ({"embedding": SymbolAxis()}, "block 'post_norm' reads states of cells, not of cells x symbols"),
        ({"embedding": SymbolAxis(), "block": MLPMixer()}, "block 'mlp_mixer' reads states of cells"),
        ({"embedding": SymbolAxis(), "block": Relational(), "puzzle": PuzzleConfig()}, "set model.puzzle=none"),
        ({"block": Relational(), "puzzle": PuzzleConfig()}, "block 'relational' has no place for puzzle slots"),
        ({"block": Relational(relations=("diagonal",))}, r"no relation \['diagonal'\]; it has: row, column, box"),
    ],
)
def test_parts_that_do_not_fit_each_other_say_what_to_use_instead(
    make_spec: MakeSpec, changes: dict[str, Any], sentence: str
):
    with pytest.raises(ConfigError, match=sentence):
        HRM(config(**changes), make_spec())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"embedding": SymbolAxis(), "block": Relational()}, "needs a task with interchangeable symbols"),
        ({"block": Relational()}, "needs a task with relations"),
    ],
)
def test_parts_that_need_more_than_the_task_tells_are_refused(changes: dict[str, Any], sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        HRM(config(**changes), TaskSpec(seq_len=4, vocab_size=3))


def test_rotary_positions_refuse_heads_of_odd_width(make_spec: MakeSpec):
    with pytest.raises(ConfigError, match="head"):
        HRM(config(size=Size(width=10, layers=1, heads=2, round_to=8)), make_spec())


def test_rotary_and_learned_positions_tell_cells_apart_and_none_does_not(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch
):
    spec = make_spec()
    batch, order = make_batch(spec, 2), torch.randperm(16)
    moved = Batch(batch.inputs[:, order], batch.labels, batch.identifiers)
    for positions, follows in ((Rotary(), False), (Learned(), False), (NoPositions(), True)):
        model = make_model(spec, positions=positions)
        states = model.empty_carry(batch).states
        with torch.no_grad():
            here, there = model(states, batch).logits, model(states, moved).logits
        assert torch.allclose(here[:, order], there, atol=1e-5) is follows


def test_named_matrices_are_the_networks_weights_alone(make_model: MakeModel, make_spec: MakeSpec):
    model = make_model(make_spec(), symbols=True)
    found = dict(named_matrices(model))
    assert found.keys() == {name for name, p in model.named_parameters() if name.startswith("networks.")}
    assert all(matrix.ndim == 2 for matrix in found.values())


def test_two_models_of_one_seed_are_bitwise_alike_and_of_two_seeds_are_not(make_model: MakeModel, make_spec: MakeSpec):
    one, same, other = (make_model(make_spec(), seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["embedding.tokens"], other["embedding.tokens"])
