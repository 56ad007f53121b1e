"""Every schedule, block, attention, embedding and kind of positions as part of a whole model, trained for a segment."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hrmlab.attention import ATTENTION
from hrmlab.blocks import BLOCKS, PostNorm
from hrmlab.core.act import Objective, objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.cost import costs
from hrmlab.core.model import HRM
from hrmlab.core.schedule import Schedule, incoherences
from hrmlab.core.schedules import SCHEDULES
from hrmlab.embeddings import EMBEDDINGS, POSITIONS, PuzzleConfig
from hrmlab.errors import ConfigError
from hrmlab.halting import HALTING, Correctness
from hrmlab.losses import LOSSES, SoftmaxCrossEntropy
from hrmlab.registry import Entry
from hrmlab.spec import TaskSpec
from hrmlab.transitions import INJECTIONS, RETENTIONS

MakeModel, MakeSpec, MakeBatch = Callable[..., HRM], Callable[..., TaskSpec], Callable[..., Batch]
Start = Callable[[HRM, Batch], Carry]
PARTS = {
    "schedule": SCHEDULES,
    "block": BLOCKS,
    "attention": ATTENTION,
    "embedding": EMBEDDINGS,
    "positions": POSITIONS,
    "injection": INJECTIONS,
    "retention": RETENTIONS,
}
VARIANTS = [(field, entry) for field, registry in PARTS.items() for entry in registry]
every_variant = pytest.mark.parametrize(("field", "entry"), VARIANTS, ids=[f"{f}-{e.name}" for f, e in VARIANTS])
COUNTED = [(field, entry) for field, entry in VARIANTS if field in ("block", "attention")]
every_schedule = pytest.mark.parametrize("entry", list(SCHEDULES), ids=lambda entry: entry.name)


@pytest.fixture(scope="session")
def build(make_model: MakeModel, make_spec: MakeSpec) -> Callable[..., HRM]:
    """A model with the one part changed, among the companions that it agrees to."""

    def make(field: str, entry: Entry, seed: int = 0, spec: TaskSpec | None = None) -> HRM:
        refusals, part = [], entry.config()
        changed = {"block": PostNorm(attention=part)} if field == "attention" else {field: part}
        for symbols in (False, True):
            companions: dict[str, Any] = {} if symbols else {"puzzle": PuzzleConfig(width=20, init_std=1.0)}
            for with_puzzle in (companions, {}):
                parts = with_puzzle | changed
                try:
                    return make_model(spec or make_spec(), symbols=symbols, seed=seed, **parts)
                except ConfigError as error:
                    refusals.append(str(error))
        raise AssertionError(f"{field} {entry.name} stands in no model: {refusals}")

    return make


def one_segment(model: HRM, batch: Batch, start: Start) -> tuple[Tensor, Tensor, Objective]:
    step = segment(model, start(model, batch), Correctness())
    return step.output.logits, step.output.values, objective(step, SoftmaxCrossEntropy(), Correctness())


@every_variant
def test_a_segment_has_the_shapes_of_the_task(
    build: Callable[..., HRM], make_batch: MakeBatch, start: Start, field: str, entry: Entry
):
    model = build(field, entry)
    logits, values, _ = one_segment(model, make_batch(model.spec, 3), start)
    assert logits.shape == (3, 16, 6) and values.shape == (3, 2)
    assert logits.dtype == values.dtype == torch.float32
    assert logits.isfinite().all() and values.isfinite().all()


@every_variant
def test_a_model_is_deterministic_from_its_seed_on(
    build: Callable[..., HRM], make_batch: MakeBatch, start: Start, field: str, entry: Entry
):
    one, same = (build(field, entry, seed=4) for _ in range(2))
    batch = make_batch(one.spec, 2)
    first = one_segment(one, batch, start)[0]
    assert torch.equal(first, one_segment(one, batch, start)[0])
    assert torch.equal(first, one_segment(same, batch, start)[0])


@every_variant
def test_one_segment_gives_every_parameter_a_finite_gradient_that_is_not_all_zero(
    build: Callable[..., HRM],
    awake: Callable[[nn.Module], nn.Module],
    make_batch: MakeBatch,
    start: Start,
    field: str,
    entry: Entry,
):
    model = build(field, entry)
    awake(model)
    one_segment(model, make_batch(model.spec, 3), start)[2].total.backward()
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:  # frozen by its part
            continue
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.ne(0).any(), name


@every_variant
def test_a_puzzle_does_not_depend_on_its_neighbours(
    build: Callable[..., HRM], make_batch: MakeBatch, start: Start, field: str, entry: Entry
):
    model = build(field, entry)
    batch = make_batch(model.spec, 3)
    together = one_segment(model, batch, start)
    alone = one_segment(model, Batch(batch.inputs[1:2], batch.labels[1:2], batch.identifiers[1:2]), start)
    torch.testing.assert_close(alone[0][0], together[0][1], atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(alone[1][0], together[1][1], atol=1e-5, rtol=1e-5)


@every_variant
def test_a_models_weights_make_another_the_same(
    build: Callable[..., HRM], make_batch: MakeBatch, start: Start, field: str, entry: Entry
):
    saved, loaded = build(field, entry, seed=1), build(field, entry, seed=2)
    loaded.load_state_dict(saved.state_dict(), strict=True)
    batch = make_batch(saved.spec, 2)
    assert torch.equal(one_segment(saved, batch, start)[0], one_segment(loaded, batch, start)[0])


@every_variant
def test_a_model_is_described_without_memory_for_its_numbers(build: Callable[..., HRM], field: str, entry: Entry):
    with torch.device("meta"):
        model = build(field, entry)
    assert all(parameter.is_meta for parameter in model.parameters())


@pytest.mark.parametrize(("field", "entry"), COUNTED, ids=[f"{f}-{e.name}" for f, e in COUNTED])
def test_its_operations_are_counted_without_numbers_as_with_them(
    build: Callable[..., HRM], make_batch: MakeBatch, field: str, entry: Entry
):
    model = build(field, entry)
    batch, counted = make_batch(model.spec, 1), costs(model.config, model.spec)
    with torch.no_grad():
        state = model.embed(batch)[0]
        for name, network in model.networks.items():
            with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as spent:
                network(state, model._rotation.context())
            assert counted.networks[name].forward == spent.get_total_flops() > 0


@every_schedule
def test_a_schedule_is_coherent_by_default_and_reads_its_answer_last(entry: Entry):
    table = entry.config().build()
    assert isinstance(table, Schedule) and incoherences(table) == []
    assert table.updates[-1].target == table.answer and table.updates[-1].grad
    assert set(table.grad_calls()) == set(table.networks)


@every_schedule
def test_a_schedule_heeds_grad_window_and_its_bounds(entry: Entry):
    rows = len(entry.config().build().updates)
    assert all(update.grad for update in entry.config(grad_window=rows).build().updates)
    for outside in (0, rows + 1):
        with pytest.raises(ConfigError, match=f"grad_window={outside} is outside 1..{rows}"):
            entry.config(grad_window=outside).build()


@every_schedule
def test_a_schedules_gradient_rows_alone_leave_a_graph(
    build: Callable[..., HRM], make_batch: MakeBatch, start: Start, entry: Entry
):
    model = build("schedule", entry)
    batch, graphs = make_batch(model.spec, 1), []
    model(start(model, batch).states, batch, lambda site, clock, state: graphs.append(state.requires_grad))
    assert graphs == [update.grad for update in model.schedule.updates]


@pytest.mark.parametrize("halting", list(HALTING), ids=lambda entry: entry.name)
@pytest.mark.parametrize("loss", list(LOSSES), ids=lambda entry: entry.name)
def test_every_policy_trains_with_every_loss(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, start: Start, halting: Entry, loss: Entry
):
    model, policy = make_model(make_spec()), halting.config()
    step = segment(model, start(model, make_batch(model.spec, 2)), policy, check=lambda i, a: a[:, 0] > 0)
    goal = objective(step, loss.config(), policy)
    goal.total.backward()
    assert goal.total.isfinite() and goal.total > 0
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    assert all(p.grad is not None for p in model.networks.parameters())
