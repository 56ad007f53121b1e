"""A recorded run of a reference implementation, played again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from hrmlab.core.engines import Compiled, build
from hrmlab.core.weights import fill
from hrmlab.errors import CheckpointError, ConfigError, DataError
from hrmlab.interop.faces import ACTCarry, ReferenceModel
from hrmlab.interop.golden import Golden
from hrmlab.interop.loss_head import ACTLossHead
from hrmlab.interop.sapient import CastedSparseEmbeddingSignSGD_Distributed
from hrmlab.training.adam_atan2 import AdamAtan2

OUTPUTS = ("logits", "q_halt_logits", "q_continue_logits", "target_q_continue")
STATES = ("z_H", "z_L")
Compare = Callable[[str, Tensor, Tensor, bool], None]
"""Called as compare(group, ours, theirs, first): `first` where nothing came before that could have drifted."""


def replay(
    golden: Golden,
    compare: Compare,
    *,
    dtype: torch.dtype = torch.float32,
    engine: str = "eager",
    nudge: float = 0.0,
) -> None:
    """Train and evaluate as recorded, handing every number of ours to `compare` beside the recorded one.

    Args:
        nudge: move every weight by that share of itself, up or down, before it begins: what two such runs differ by
            tells how far rounding alone drives runs apart.

    Groups are outputs, states, halting (steps and halted flags), loss, metrics, grads, weights and eval. What is
    recorded and not computed here comes as an empty tensor of ours.

    Raises:
        DataError: the file lacks what a recording has, or contradicts itself.
    """
    model = golden.model(dtype)
    _nudge(model, nudge)
    with _by(engine, model):
        try:
            head = ACTLossHead(model, golden.loss_type)
            _train(golden, head, compare)
            fill(model, golden.below("final/"), f"{golden.path}, final/")
            _nudge(model, nudge)
        except (CheckpointError, ConfigError) as error:
            raise DataError(f"{golden.path}: {error}") from None
        _evaluate(golden, head, compare)


@torch.no_grad()
def _nudge(model: ReferenceModel, share: float) -> None:
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters() if share else ():
        signs = torch.randint(0, 2, parameter.shape, generator=generator) * 2 - 1
        parameter.mul_(1 + share * signs.to(parameter.dtype))


@contextmanager
def _by(engine: str, model: ReferenceModel) -> Iterator[None]:
    """With an engine; where it compiles, with an error rather than a silent return to eager."""
    model.inner.__dict__["forward_core"] = build(engine, model.inner.core)
    if engine != Compiled.name:
        yield
        return
    torch.compiler.reset()
    with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True, recompile_limit=16):
        yield


def _train(golden: Golden, head: ACTLossHead, compare: Compare) -> None:
    model = head.model.train()
    optimisers = _optimisers(golden, model)
    carry = model.initial_carry(golden.batch("train/0"))
    for t in range(golden.train_steps):
        batch = golden.batch(f"train/{t}")
        if len(batch["inputs"]) != len(carry.steps):
            raise DataError(
                f"{golden.path}: train/{t}/batch has {len(batch['inputs'])} rows, train/0 {len(carry.steps)}"
            )
        carry, loss, metrics, out, _ = head(return_keys=OUTPUTS, carry=carry, batch=batch)
        record = golden.below(f"train/{t}/")
        _compare_call(record, out, carry, loss, metrics, compare, first=t == 0)
        (loss / len(batch["inputs"])).backward()
        grads = golden.below(f"train/{t}/grad/")
        _compare("grads", grads, {name: _gradient(model, name) for name in grads}, compare, True)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
    _compare("weights", golden.below("final/"), model.state_dict(), compare)


def _evaluate(golden: Golden, head: ACTLossHead, compare: Compare) -> None:
    model, batch = head.model.eval(), golden.batch("eval")
    carry, metrics = model.initial_carry(batch), {}
    with torch.no_grad():
        for t in range(golden.eval_steps):
            carry, loss, metrics, out, _ = head(return_keys=OUTPUTS, carry=carry, batch=batch)
            _compare("eval", golden.below(f"eval/{t}/out/"), out, compare)
            compare("loss", loss, golden.tensor(f"eval/{t}/loss"), t == 0)
    record = golden.below("eval/final/")
    _compare("eval", {name: record[name] for name in STATES if name in record}, _states(carry), compare)
    _compare("eval", golden.below("eval/final/metrics/"), metrics, compare)


def _compare_call(
    record: dict[str, Tensor],
    out: dict[str, Tensor],
    carry: ACTCarry,
    loss: Tensor,
    metrics: dict[str, Tensor],
    compare: Compare,
    first: bool,
) -> None:
    """Everything that is recorded of one call."""
    below = {
        folder: {name.removeprefix(folder): want for name, want in record.items() if name.startswith(folder)}
        for folder in ("out/", "carry/", "metrics/")
    }
    states = {name: want for name, want in below["carry/"].items() if name in STATES}
    halting = {name: want for name, want in below["carry/"].items() if name not in STATES}
    _compare("outputs", below["out/"], out, compare, first)
    _compare("states", states, _states(carry), compare, first)
    _compare("halting", halting, {"steps": carry.steps, "halted": carry.halted}, compare, first)
    _compare("loss", {name: want for name, want in record.items() if name == "loss"}, {"loss": loss}, compare, first)
    _compare("metrics", below["metrics/"], metrics, compare, first)


def _compare(
    group: str, record: Mapping[str, Tensor], ours: Mapping[str, Tensor], compare: Compare, first: bool = False
) -> None:
    for name, want in record.items():
        compare(group, ours.get(name, torch.empty(0)), want, first)


def _states(carry: ACTCarry) -> dict[str, Tensor]:
    return {"z_H": carry.inner_carry.z_H, "z_L": carry.inner_carry.z_L}


def _optimisers(golden: Golden, model: ReferenceModel) -> list[torch.optim.Optimizer]:
    """In the reference's order: the sparse rows first."""
    o = golden.optimizer
    sparse: list[torch.optim.Optimizer] = []
    if hasattr(model.inner, "puzzle_emb"):
        lr, decay = o["puzzle_emb_lr"], o["puzzle_emb_weight_decay"]
        sparse = [CastedSparseEmbeddingSignSGD_Distributed(model.puzzle_emb.buffers(), 1, lr, decay)]
    betas = (float(o["betas"][0]), float(o["betas"][1]))
    return [*sparse, AdamAtan2(list(model.parameters()), o["lr"], betas, o["weight_decay"])]


def _gradient(model: ReferenceModel, name: str) -> Tensor:
    """Zeros for a parameter that has none; empty for what the model does not have."""
    try:
        found = model.puzzle_emb.local_weights if name.endswith("local_weights") else model.get_parameter(name)
    except AttributeError:
        return torch.empty(0)
    return torch.zeros_like(found) if found.grad is None else found.grad
