"""Rules of attentions, blocks and embeddings."""

from collections.abc import Callable
from dataclasses import replace

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from hrmlab.attention import Context
from hrmlab.checks.asking import Rule, Skipped, demand
from hrmlab.checks.cases import Case, Inputs, turned


def shape(case: Case) -> None:
    """Keeps the shape that its family promises, and gives finite numbers."""
    out = case.call(case.built(), case.inputs(3))
    demand(tuple(out.shape) == (3, *case.shape), f"gives shape {tuple(out.shape)}; wanted {(3, *case.shape)}")
    demand(out.isfinite().all(), "gives numbers that are not finite")


def float32(case: Case) -> None:
    """Answers float32 in float32."""
    out = case.call(case.built(), case.inputs(2))
    demand(out.dtype == torch.float32, f"float32 came and {_name(out)} is given; make new tensors with dtype=x.dtype")


def bfloat16(case: Case) -> None:
    """Answers bfloat16 in bfloat16, near the float32 answer, with weights that stay float32."""
    if case.family == "embedding":
        raise Skipped("an embedding reads tokens; the model itself casts what it gives")
    module, inputs = case.built(), case.inputs(2)
    low = _quiet(case, module, _each(inputs, Tensor.bfloat16))
    demand(low.dtype == torch.bfloat16, f"bfloat16 came and {_name(low)} is given; use weight.to(x.dtype)")
    demand(all(p.dtype == torch.float32 for p in module.parameters()), "has weights that are not float32")
    full = _quiet(case, module, inputs)
    off = float((low.float() - full).abs().mean() / full.abs().mean().clamp_min(1e-9))
    demand(off < 0.05, f"its bfloat16 answer is {off:.0%} off; compute sums and norms in float32")


def batch(case: Case) -> None:
    """Answers a row the same whatever stands in the other rows."""
    module, inputs = case.built(), case.inputs(4)
    together = _quiet(case, module, inputs)
    for rows in ([2], [3, 0], [1, 1, 1]):
        alone = _quiet(case, module, _each(inputs, lambda part, rows=rows: part[rows]))  # type: ignore[misc]
        demand(_close(alone, together[rows]), f"rows {rows} by themselves give other numbers than among others")


def padding(case: Case) -> None:
    """Does not look where the mask forbids."""
    if case.family != "attention":
        raise Skipped("only attention is told by a mask where it may look")
    module, (x, *_) = case.built(), case.inputs(2)
    assert x is not None and case.context is not None
    cells, hidden = x.shape[1], 4
    mask = torch.ones(cells, cells, dtype=torch.bool)
    mask[:, hidden] = False
    changed = x.clone()
    changed[:, hidden] += 1
    others = [cell for cell in range(cells) if cell != hidden]
    masked = replace(case.context, mask=mask)
    one, two = (_quiet(case, module, (state,), masked)[:, others] for state in (x, changed))
    demand(_close(one, two), "a position that the mask hides changes what the others get; obey context.mask")
    shared = _quiet(case, module, (x,), replace(case.context, mask=mask[:1]))[:, others]
    demand(_close(one, shared), "a mask of one row for all queries means something else than that row repeated")


def determinism(case: Case) -> None:
    """Gives the same numbers for the same seed of its weights, drawing none of its own."""
    one, same, inputs = case.built(3), case.built(3), case.inputs(2)
    torch.manual_seed(1)
    first = case.call(one, inputs)
    torch.manual_seed(2)
    demand(torch.equal(first, case.call(same, inputs)), "built twice from one seed, it answers differently")


def memoryless(case: Case) -> None:
    """Remembers nothing from call to call: what lives between segments is the carried state."""
    module, inputs = case.built(), case.inputs(3)
    other = _each(inputs, lambda part: part.flip(0).roll(1, 1))
    torch.manual_seed(1)
    first = _quiet(case, module, inputs)
    _quiet(case, module, other)
    torch.manual_seed(1)
    demand(torch.equal(first, _quiet(case, module, inputs)), "after another puzzle it answers the first one otherwise")


def gradients(case: Case) -> None:
    """Sends a finite gradient, not all zero, to every parameter."""
    module = awake(case.built())
    out = case.call(module, case.inputs(3))
    (out * torch.linspace(-1, 1, out.numel()).view(out.shape).to(out.dtype)).sum().backward()  # type: ignore[no-untyped-call]
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:  # frozen by its part
            continue
        demand(parameter.grad is not None, f"no gradient reaches {name}; use it, or make it a buffer")
        assert parameter.grad is not None
        demand(parameter.grad.isfinite().all(), f"the gradient of {name} is not finite")
        demand(parameter.grad.ne(0).any(), f"the gradient of {name} is zero everywhere")


def saving(case: Case) -> None:
    """Answers the same after its weights were saved and loaded into another."""
    saved, loaded, inputs = case.built(1), case.built(2), case.inputs(2)
    tensors = load(save({name: tensor.detach().contiguous() for name, tensor in saved.state_dict().items()}))
    loaded.load_state_dict(tensors, strict=True)
    torch.manual_seed(1)
    wanted = _quiet(case, saved, inputs)
    torch.manual_seed(1)
    given = _quiet(case, loaded, inputs)
    demand(torch.equal(wanted, given), "loaded, it answers otherwise; numbers drawn once belong in a buffer")


def inputs_alone(case: Case) -> None:
    """Leaves its input as it is and does not care how that lies in memory."""
    module, inputs = case.built(), case.inputs(3)
    before = _each(inputs, Tensor.clone)
    out = _quiet(case, module, inputs)
    for part, was in zip(inputs, before, strict=True):
        demand(part is None or was is None or torch.equal(part, was), "changes its input in place")
    turned_round = _each(inputs, lambda part: part.mT.contiguous().mT)
    demand(_close(_quiet(case, module, turned_round), out), "depends on the strides of its input")


def modes(case: Case) -> None:
    """Computes the same in training and evaluation, and with gradients recorded or not."""
    module, inputs = case.built(), case.inputs(2)
    torch.manual_seed(1)
    training = case.call(module.train(), inputs).detach()
    torch.manual_seed(1)
    with torch.inference_mode():
        evaluation = case.call(module.eval(), inputs)
    demand(torch.equal(training, evaluation), "answers otherwise in evaluation than in training")


def leading(case: Case) -> None:
    """Its short way to the leading positions gives what the long one gives."""
    module, inputs = case.built(), case.inputs(2)
    short = getattr(module, "leading", None)
    if short is None or case.context is None:
        raise Skipped("it has no `leading`, and needs none")
    positions = case.shape[0]
    triangle = torch.ones(positions, positions, dtype=torch.bool).tril()
    for context in (case.context, replace(turned(positions), mask=triangle)):
        for count in (1, 5, positions):
            some, whole = short(*inputs, context, count), case.call(module, inputs, context)[:, :count]
            demand(_close(some, whole, 2e-6), f"its first {count} positions differ from those of all")


def host(case: Case) -> None:
    """Reads no value on the host, so that a device never waits for it."""
    if case.context is None:
        raise Skipped("an embedding is called once a segment")
    module, inputs = case.built().to("meta"), _each(case.inputs(2), lambda part: part.to("meta"))
    angles = case.context.rotation
    context = Context(None if angles is None else (angles[0].to("meta"), angles[1].to("meta")))
    out = case.call(module, inputs, context)
    demand(out.is_meta and tuple(out.shape) == (2, *case.shape), "computes outside of its input's device")


RULES: dict[str, Rule[Case]] = {
    "shape": shape,
    "float32": float32,
    "bfloat16": bfloat16,
    "batch independence": batch,
    "padding independence": padding,
    "determinism": determinism,
    "no leak across segments": memoryless,
    "gradient reach": gradients,
    "save and load": saving,
    "input untouched": inputs_alone,
    "training and evaluation": modes,
    "leading positions": leading,
    "no value read on the host": host,
}


def awake(module: nn.Module) -> nn.Module:
    """The module, parameters that start at zero (and hold back those behind them) filled, as a first step would."""
    with torch.no_grad():
        for parameter in module.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1)
    return module


@torch.no_grad()
def _quiet(case: Case, module: nn.Module, inputs: Inputs, context: Context | None = None) -> Tensor:
    return case.call(module, inputs, context)


def _each(inputs: Inputs, change: Callable[[Tensor], Tensor]) -> Inputs:
    return tuple(None if part is None else change(part) for part in inputs)


def _close(one: Tensor, two: Tensor, atol: float = 1e-6) -> bool:
    return torch.allclose(one, two, atol=atol, rtol=1e-5)


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
