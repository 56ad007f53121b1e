"""The drop-in classes: what the reference's own programs do with its classes, done with ours."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_reference import attention, norm, swiglu
from torch import Tensor, nn

from hrmlab.errors import ConfigError, DataError
from hrmlab.interop import sapient, trm
from hrmlab.interop.golden import Golden
from hrmlab.interop.sapient import ACTLossHead, CastedSparseEmbedding, CastedSparseEmbeddingSignSGD_Distributed
from hrmlab.layers import rotation

DropIn = Callable[..., Any]
Batches = Callable[[int, int], dict[str, Tensor]]
NAMES = ("hrm_rope", "hrm_learned_padded_puzzle", "hrm_no_puzzle_softmax", "trm_attention", "trm_mlp_mixer")
KEYS = ["logits", "q_halt_logits", "q_continue_logits", "target_q_continue", "preds"]


class Atan2(torch.optim.Optimizer):
    """What AdamATan2 does, from its formula; `lr` is set in the groups before each step, as the reference does."""

    def __init__(
        self, params: Iterator[nn.Parameter], lr: float, weight_decay: float, betas: tuple[float, float]
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "betas": betas})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p] or {"t": 0, "m": torch.zeros_like(p), "v": torch.zeros_like(p)}
                state["t"] += 1
                state["m"].lerp_(p.grad, 1 - b1)
                state["v"].lerp_(p.grad.square(), 1 - b2)
                p.mul_(1 - lr * group["weight_decay"])
                right = (state["v"] / (1 - b2 ** state["t"])).sqrt()
                p.sub_(lr / (1 - b1 ** state["t"]) * torch.atan2(state["m"], right))
                self.state[p] = state


def train_and_evaluate(
    model: Any, batches: Batches, steps: int, size: int = 4
) -> tuple[list[float], dict[str, Tensor]]:
    """As the reference's pretrain.py goes about it: losses of the token head by step, metrics of the evaluation."""
    head = ACTLossHead(model, loss_type="stablemax_cross_entropy")
    optimizers: list[torch.optim.Optimizer] = [
        CastedSparseEmbeddingSignSGD_Distributed(head.model.puzzle_emb.buffers(), lr=0, weight_decay=0.1, world_size=1),
        Atan2(head.parameters(), lr=0, weight_decay=0.1, betas=(0.9, 0.95)),
    ]
    base = (1e-2, 3e-3)
    carry, losses = None, []
    head.train()
    for t in range(steps):
        batch = batches(t, size)
        if carry is None:
            with torch.device("cpu"):
                carry = head.initial_carry(batch)
        carry, loss, metrics, _, _ = head(carry=carry, batch=batch, return_keys=[])
        ((1 / size) * loss).backward()
        for optimizer, lr in zip(optimizers, base, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = lr * min(1.0, (t + 1) / 10)
            optimizer.step()
            optimizer.zero_grad()
        losses.append(float(metrics["lm_loss"]) / size)
    head.eval()
    with torch.inference_mode():
        batch = batches(0, size)
        with torch.device("cpu"):
            carry = head.initial_carry(batch)
        for _ in range(100):
            carry, _, metrics, preds, all_finish = head(carry=carry, batch=batch, return_keys=["preds"])
            if all_finish:
                break
    assert set(preds) == {"preds"} and preds["preds"].shape == batch["inputs"].shape
    return losses, metrics


@pytest.mark.parametrize("family", ["hrm", "trm"])
def test_the_reference_s_loop_trains_it(drop_in: DropIn, batches: Batches, family: str) -> None:
    model = drop_in(family)
    before = model.puzzle_emb.weights.clone()
    losses, metrics = train_and_evaluate(model, batches, 60)
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10]), losses
    assert not torch.equal(model.puzzle_emb.weights, before)
    assert int(metrics["count"]) == 4 and int(metrics["steps"]) == 4 * 3
    assert set(metrics) == {"count", "accuracy", "exact_accuracy", "q_halt_accuracy", "steps", "lm_loss", "q_halt_loss"}


@pytest.mark.parametrize("name", NAMES)
def test_state_dicts_have_the_reference_s_keys(golden: Path, name: str) -> None:
    file = Golden.read(golden / f"{name}.safetensors")
    model = file.model(torch.float32)
    want = file.below("init/")
    state = model.state_dict()
    assert set(state) == set(want)
    assert all(torch.equal(state[key], want[key]) for key in want)
    fixed = {"inner.H_init", "inner.L_init", "inner.puzzle_emb.weights"}
    assert {key for key, _ in model.named_parameters()} == set(want) - fixed
    assert {f"model.{key}" for key in want} == set(ACTLossHead(model, "softmax_cross_entropy").state_dict())
    assert model.config.hidden_size == file.config["hidden_size"]


@pytest.mark.parametrize("assign", [False, True])
def test_a_loaded_state_is_the_one_that_computes(drop_in: DropIn, batches: Batches, assign: bool) -> None:
    """`assign=True` is how the reference's evaluate.py loads."""
    first, second = drop_in(seed=0), drop_in(seed=1)
    batch = batches(0, 4)

    def logits(model: Any) -> Tensor:
        return model.eval()(carry=model.initial_carry(batch), batch=batch)[1]["logits"]

    want = logits(first)
    assert not torch.equal(logits(second), want)
    second.load_state_dict({key: value.clone() for key, value in first.state_dict().items()}, assign=assign)
    assert torch.equal(logits(second), want)
    assert all(torch.equal(value, second.state_dict()[key]) for key, value in first.state_dict().items())


def test_a_copy_stands_on_its_own(drop_in: DropIn, batches: Batches) -> None:
    """TRM's averaging copies the model, writes into the copy's parameters and evaluates it."""
    model, batch = drop_in("trm").eval(), batches(0, 4)
    twin = copy.deepcopy(model)
    want = model(carry=model.initial_carry(batch), batch=batch)[1]["logits"]
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
        twin.inner.H_init.zero_()
    assert torch.equal(model(carry=model.initial_carry(batch), batch=batch)[1]["logits"], want)
    assert twin(carry=twin.initial_carry(batch), batch=batch)[1]["logits"].abs().max() == 0
    assert twin.inner.core.initial[0].abs().max() == 0


def test_a_cast_model_still_trains(drop_in: DropIn, batches: Batches) -> None:
    model = drop_in(forward_dtype="float64").double()
    train_and_evaluate(model, batches, 2)
    assert model.puzzle_emb.weights.dtype == torch.float64 and model.puzzle_emb.weights.abs().max() > 0


@pytest.mark.parametrize("family", ["hrm", "trm"])
@pytest.mark.parametrize("longest", [1, 3])
def test_output_keys(drop_in: DropIn, batches: Batches, family: str, longest: int) -> None:
    model, batch = drop_in(family, halt_max_steps=longest), batches(0, 4)
    asks = family == "hrm" and longest > 1
    head = ACTLossHead(model, "stablemax_cross_entropy").train()
    _, loss, metrics, out, finished = head(return_keys=KEYS, carry=head.initial_carry(batch), batch=batch)
    assert set(out) == set(KEYS) - (set() if asks else {"target_q_continue"})
    assert ("q_continue_loss" in metrics) is asks
    assert loss.requires_grad and not any(tensor.requires_grad for tensor in [*out.values(), *metrics.values()])
    assert bool(finished) is (longest == 1)
    assert out["logits"].shape == (4, 16, 6)
    out = head.eval()(return_keys=KEYS, carry=head.initial_carry(batch), batch=batch)[3]
    assert "target_q_continue" not in out


@pytest.mark.parametrize("family", ["hrm", "trm"])
def test_the_carry(drop_in: DropIn, batches: Batches, family: str) -> None:
    module = sapient if family == "hrm" else trm
    name = "HierarchicalReasoningModel" if family == "hrm" else "TinyRecursiveReasoningModel"
    model, first, second = drop_in(family, halt_exploration_prob=1.0), batches(0, 4), batches(1, 4)
    carry = model.initial_carry(first)
    assert isinstance(carry, getattr(module, f"{name}_ACTV1Carry"))
    assert isinstance(carry.inner_carry, getattr(module, f"{name}_ACTV1InnerCarry"))
    assert carry.halted.all() and carry.halted.dtype == torch.bool
    assert carry.steps.dtype == torch.int32 and not carry.steps.any()
    length = 16 + (1 if family == "hrm" else 2)
    assert carry.inner_carry.z_H.shape == carry.inner_carry.z_L.shape == (4, length, 16)
    carry, _ = model(carry=carry, batch=first)
    assert torch.equal(carry.current_data["inputs"], first["inputs"])
    carry.halted = torch.tensor([True, False, False, True])
    carry, _ = model(carry=carry, batch=second)
    assert torch.equal(carry.current_data["inputs"][[0, 3]], second["inputs"][[0, 3]])
    assert torch.equal(carry.current_data["labels"][[1, 2]], first["labels"][[1, 2]])
    assert carry.steps.tolist() == [1, 2, 2, 1]


def test_in_evaluation_every_slot_runs_to_the_last_segment(drop_in: DropIn, batches: Batches) -> None:
    model, batch = drop_in(halt_max_steps=4).eval(), batches(0, 4)
    with torch.no_grad():
        model.state_dict()["inner.q_head.bias"].copy_(torch.tensor([9.0, -9.0]))  # sure from the first on
    carry, flags = model.initial_carry(batch), []
    for _ in range(4):
        carry, _ = model(carry=carry, batch=batch)
        flags.append(bool(carry.halted.all()))
    assert flags == [False, False, False, True]


def test_in_training_a_slot_that_is_sure_halts(drop_in: DropIn, batches: Batches) -> None:
    model, batch = drop_in(halt_max_steps=4, halt_exploration_prob=0.0).train(), batches(0, 4)
    with torch.no_grad():
        model.state_dict()["inner.q_head.bias"].copy_(torch.tensor([9.0, -9.0]))
    assert model(carry=model.initial_carry(batch), batch=batch)[0].halted.all()


def test_a_block_computes_what_its_weights_say() -> None:
    config = sapient.HierarchicalReasoningModel_ACTV1Config(
        batch_size=2, seq_len=5, vocab_size=6, num_puzzle_identifiers=1, puzzle_emb_ndim=0, H_cycles=1, L_cycles=1,
        H_layers=1, L_layers=1, hidden_size=8, expansion=2, num_heads=2, pos_encodings="rope", halt_max_steps=1,
        halt_exploration_prob=0.0, rms_norm_eps=1e-3,
    )  # fmt: skip
    block = sapient.HierarchicalReasoningModel_ACTV1Block(config)
    weights = block.state_dict()
    assert set(weights) == {
        "self_attn.qkv_proj.weight", "self_attn.o_proj.weight", "mlp.gate_up_proj.weight", "mlp.down_proj.weight"
    }  # fmt: skip
    x = torch.randn(2, 5, 8)
    want = norm(x + attention(weights, "self_attn", x, 2, 10000.0), 1e-3)
    want = norm(want + swiglu(weights, "mlp", want), 1e-3)
    torch.testing.assert_close(block(cos_sin=rotation(5, 4, 10000.0), hidden_states=x), want, atol=1e-5, rtol=1e-5)


def test_a_table_looks_up_copies_and_takes_smaller_batches_only() -> None:
    table = CastedSparseEmbedding(5, 3, batch_size=4, init_std=1.0, cast_to=torch.float32)
    rows = table.weights.clone()
    ids = torch.tensor([2, 2, 0], dtype=torch.int32)
    table(ids).sum().backward()
    assert torch.equal(table.local_weights.grad[:3], torch.ones(3, 3)) and not table.local_weights.grad[3:].any()
    CastedSparseEmbeddingSignSGD_Distributed(table.buffers(), world_size=1, lr=0.5, weight_decay=0.1).step()
    want = rows.clone()
    want[[0, 2]] = rows[[0, 2]] * (1 - 0.05) - 0.5
    torch.testing.assert_close(table.weights, want)
    with pytest.raises(DataError, match="batch of 5"):
        table(torch.zeros(5, dtype=torch.int32))
    assert table.eval()(torch.zeros(9, dtype=torch.int32)).shape == (9, 3)
    assert set(table.state_dict()) == {"weights"}


def test_ids_and_gradients_of_all_processes_are_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes whose gradients of one row disagree: the sum decides, as on one process with both batches."""
    table = CastedSparseEmbedding(3, 2, batch_size=2, init_std=0.0, cast_to=torch.float32)
    (table(torch.tensor([1, 2])) * torch.tensor([[1.0, -1.0], [1.0, 1.0]])).sum().backward()
    others = {
        torch.int32: torch.tensor([1, 0], dtype=torch.int32),
        torch.float32: torch.tensor([[-3.0, 0.5], [2.0, 0.0]]),
    }

    def gather(out: Tensor, mine: Tensor) -> None:
        out.copy_(torch.cat([mine, others[mine.dtype]]))

    monkeypatch.setattr(torch.distributed, "all_gather_into_tensor", gather)
    CastedSparseEmbeddingSignSGD_Distributed(table.buffers(), world_size=2, lr=1.0, weight_decay=0.0).step()
    assert table.weights.tolist() == [[-1.0, 0.0], [1.0, 1.0], [-1.0, -1.0]]


def test_the_optimiser_wants_the_three_buffers() -> None:
    with pytest.raises(ValueError, match="three buffers"):
        CastedSparseEmbeddingSignSGD_Distributed([torch.zeros(2, 2)], world_size=1).step()
    with pytest.raises(ValueError, match="lr=-1"):
        CastedSparseEmbeddingSignSGD_Distributed([torch.zeros(2)], world_size=1, lr=-1)


def test_without_puzzles_there_is_no_puzzle_embedding(drop_in: DropIn, batches: Batches) -> None:
    model, batch = drop_in(puzzle_emb_ndim=0), batches(0, 4)
    assert not hasattr(model, "puzzle_emb") and not hasattr(model.inner, "puzzle_emb")
    assert model(carry=model.initial_carry(batch), batch=batch)[1]["logits"].shape == (4, 16, 6)


def test_values_that_cannot_be_are_named(drop_in: DropIn) -> None:
    for changes, part in (
        ({"num_heads": 0}, "num_heads"),
        ({"H_layers": 0}, "H_layers"),
        ({"forward_dtype": "f"}, "dtype"),
    ):
        with pytest.raises(ValueError, match=part):
            drop_in(**changes)
    with pytest.raises(ConfigError, match="'sinus'"):
        drop_in(pos_encodings="sinus")
    with pytest.raises(ConfigError, match="'hinge'"):
        ACTLossHead(drop_in(), "hinge")


def test_hrm_passes_over_keys_of_trm(drop_in: DropIn) -> None:
    """As the reference's class does with keys that it does not know."""
    plain, more = drop_in(), drop_in(mlp_t=True, puzzle_emb_len=5, no_ACT_continue=True)
    assert plain.config == more.config and set(plain.state_dict()) == set(more.state_dict())


def test_bfloat16_is_the_default_and_obeyed(drop_in: DropIn, batches: Batches) -> None:
    assert type(drop_in().config).model_fields["forward_dtype"].default == "bfloat16"
    model, batch = drop_in(forward_dtype="bfloat16"), batches(0, 4)
    carry, out = model(carry=model.initial_carry(batch), batch=batch)
    assert carry.inner_carry.z_H.dtype == torch.bfloat16 and out["q_halt_logits"].dtype == torch.float32
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
