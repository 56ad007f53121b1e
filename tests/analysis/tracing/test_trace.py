"""Traces: exact addresses, bitwise the same answers, nothing left behind."""

import pytest
import torch

from hrmlab.analysis.tracing import hooks, sites, trace, unroll, with_gradient
from hrmlab.analysis.tracing.trace import norms
from hrmlab.attention import ATTENTION, Gated, LinearAttention
from hrmlab.blocks import MLPMixer, PostNorm, Relational, Size
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMSchedule, SingleState, TRMSchedule
from hrmlab.embeddings import NoPositions, Rotary, SymbolAxis, Tokens
from hrmlab.errors import ConfigError
from hrmlab.halting import QLearning
from hrmlab.spec import TaskSpec
from hrmlab.tasks.sudoku import Sudoku

BOARD = Sudoku(box_rows=2, box_cols=2).spec()
SMALL = Size(width=16, layers=2, heads=2, round_to=8)


def build(block=None, schedule=None, spec=None, embedding=None, positions=None):
    torch.manual_seed(0)
    config = ModelConfig(
        schedule=schedule or HRMSchedule(),
        block=block or PostNorm(),
        embedding=embedding or Tokens(),
        positions=positions or Rotary(),
        size=SMALL,
    )
    return HRM(config, spec or TaskSpec(seq_len=9, vocab_size=5)).eval()


@pytest.fixture
def model():
    return build()


def batch(model, count=3):
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, model.spec.vocab_size, (count, model.spec.seq_len), generator=generator)
    return Batch(tokens, tokens, torch.zeros(count, dtype=torch.int64))


VARIANTS = {
    "hrm": lambda: build(),
    "gated": lambda: build(PostNorm(attention=Gated())),
    "trm": lambda: build(schedule=TRMSchedule(high_cycles=2, low_cycles=3)),
    "mixer": lambda: build(MLPMixer(), positions=NoPositions()),
    "symbols": lambda: build(
        Relational(),
        SingleState(cycles=3),
        Sudoku(box_rows=2, box_cols=2).spec(),
        SymbolAxis(),
        NoPositions(),
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_answers_are_bitwise_those_of_an_untraced_run(name):
    model = VARIANTS[name]()
    some = batch(model)
    plain = torch.stack([out.logits for out in unroll(model, some, 3)], 1)
    seen = trace(model, some, "*", 3)
    assert torch.equal(seen.logits, plain)
    rows = len(model.schedule.updates)
    assert len(seen.select("*.state")) == 3 * rows


@pytest.mark.parametrize("name", VARIANTS)
def test_no_hook_stays_behind(name):
    model = VARIANTS[name]()
    with pytest.raises(RuntimeError, match="mine"), hooks(model, forward=[("*", _fail)]):
        model(model.empty_carry(batch(model)).states, batch(model))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def _fail(tensor, /, *, at):
    raise RuntimeError("mine")


def test_states_are_those_that_the_observer_sees(model):
    seen = {}
    some = batch(model)
    carry = model.empty_carry(some).refill(model.initial_states(), some, torch.ones(3))
    model(carry.states, some, lambda level, clock, state: seen.setdefault(clock, (level, state)))
    found = trace(model, some, "*.state", 1, reduce=None)
    assert [(at.level, at.row) for at in found] == [(level, row) for (_, row), (level, _) in seen.items()]
    for at, tensor in found.items():
        assert torch.equal(tensor, seen[at.segment, at.row][1])


def test_an_attention_pattern_gives_the_attention_back(model):
    some = batch(model)
    found = trace(model, some, ["seg0/h1/l0/low.1.attn.*"], 1, reduce=None)
    at = "seg0/h1/l0/low.1.attn"
    pattern, v, heads = found[f"{at}.pattern"], found[f"{at}.v"], found[f"{at}.heads"]
    assert torch.allclose(pattern.sum(-1), torch.ones(()), atol=1e-5)
    assert torch.allclose((pattern @ v).transpose(1, 2).flatten(2), heads, atol=1e-5)


SOFTMAX = [entry for entry in ATTENTION if entry.name not in ("gated", "linear")]


@pytest.mark.parametrize("entry", SOFTMAX, ids=lambda entry: entry.name)
def test_every_softmax_attention_shows_its_pattern(entry, make_spec):
    model = build(PostNorm(attention=entry.config()), spec=make_spec())
    at = "seg0/h1/l0/low.1.attn"
    found = trace(model, batch(model), [f"{at}.*"], 1, reduce=None)
    pattern, v, heads = found[f"{at}.pattern"], found[f"{at}.v"], found[f"{at}.heads"]
    assert torch.allclose(pattern.sum(-1), torch.ones(()), atol=1e-5)
    assert torch.allclose((pattern @ v).transpose(1, 2).flatten(2), heads, atol=1e-5)


def test_attention_without_softmax_shows_none():
    model = build(PostNorm(attention=LinearAttention()))
    names = {site.name for site in sites(model)}
    assert "low.1.attn.out" in names and "low.1.attn.pattern" not in names


def test_a_network_called_again_has_another_address(model):
    found = trace(model, batch(model), "low.0.out", 2, reduce=norms)
    assert [str(at) for at in found][:4] == [
        "seg0/h0/l0/low.0.out", "seg0/h0/l1/low.0.out", "seg0/h1/l0/low.0.out", "seg0/h1/l1/low.0.out",
    ]  # fmt: skip
    assert found.stacked("low.0.out").shape == (8, 3, 9)


def test_replacing_a_state_changes_what_follows_and_nothing_before(model):
    some = batch(model)
    plain = trace(model, some, "*.state", 2, reduce=None)
    with hooks(model, forward=[("seg1/h0/l1/low.state", lambda x, /, *, at: torch.zeros_like(x))], segments=2):
        patched = [out.logits for out in unroll(model, some, 2)]
    assert torch.equal(patched[0], plain.logits[:, 0])
    assert not torch.allclose(patched[1], plain.logits[:, 1])


def test_gradient_hooks_see_and_change_gradients(model):
    some, seen = batch(model), {}
    deep = with_gradient(model)

    def see(gradient, /, *, at):
        seen[str(at)] = float(gradient.norm())

    with hooks(deep, backward=[("*.state", see)]):
        out = deep(model.empty_carry(some).states, some)
        out.logits.sum().backward()
    assert len(seen) == len(model.schedule.updates)
    assert all(seen.values())
    model.zero_grad()
    with hooks(deep, backward=[("h1/high.state", lambda g, /, *, at: g * 0)]):
        deep(model.empty_carry(some).states, some).logits.sum().backward()
    assert not model.networks["low"].blocks[0].mlp.down.weight.grad.any()


def test_halting_applied_ends_where_the_rule_stops(model):
    with torch.no_grad():
        model.halting_head.linear.bias.copy_(torch.tensor([5.0, -5.0]))
    some = batch(model)
    assert trace(model, some, "logits", 4, halting="apply", rule=QLearning(max_segments=4)).segments.tolist() == [1] * 3
    assert trace(model, some, "logits", 4, rule=QLearning(max_segments=4)).segments.tolist() == [4] * 3


def test_a_pattern_without_match_names_the_nearest(model):
    with pytest.raises(ConfigError, match=r"matches no activation.*low\.0\.attn\.pattern"):
        trace(model, batch(model), "low.0.attention.pattern", 1)
    with pytest.raises(ConfigError, match="matches no activation"):
        trace(model, batch(model), "seg9/low.state", 2)
    with pytest.raises(ConfigError, match="matches no activation"), hooks(model, forward=[("low.7.out", _fail)]):
        pass


def test_a_trace_too_large_is_refused_before_it_begins(model):
    with pytest.raises(ConfigError, match=r"would keep .* MB, over max_bytes"):
        trace(model, batch(model), "*", 16, reduce=None, max_bytes=10_000)


def test_the_estimate_is_what_is_kept(model):
    from hrmlab.analysis.tracing.address import patterns
    from hrmlab.analysis.tracing.trace import estimate

    some = batch(model)
    for texts in (["*.state"], ["low.*.attn.pattern", "logits"], ["seg1/h0/*"]):
        found = trace(model, some, texts, 2, reduce=None)
        kept = sum(t.numel() * t.element_size() for t in found.values())
        assert estimate(model, patterns(texts), 3, 2, None) == kept


def test_sites_come_with_their_shapes(model):
    found = {site.name: site for site in sites(model)}
    assert found["low.state"].shape == (9, 16)
    assert found["low.0.attn.pattern"].shape == (2, 9, 9)
    assert found["low.state"].calls == 4
    assert found["high.1.mlp.hidden"].shape == found["high.1.mlp.down.in"].shape
    assert found["logits"].shape == (9, 5)


def test_a_hook_must_keep_the_shape(model):
    some = batch(model)
    with (
        pytest.raises(ConfigError, match="gave shape"),
        hooks(model, forward=[("low.state", lambda x, /, *, at: x[:1])]),
    ):
        model(model.empty_carry(some).states, some)
