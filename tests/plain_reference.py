"""HRM and TRM written out a second time, as plainly as their papers, to record golden vectors of any configuration.

Nothing of `hrmlab` computes here; only the names of the weights are shared. `tests/parity` checks this against the
recorded files of the reference itself, then uses it for configurations of which there is no recording.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

RATES = {
    "name": "AdamATan2", "lr": 0.01, "betas": [0.9, 0.95], "weight_decay": 0.1, "puzzle_emb_lr": 0.01,
    "puzzle_emb_weight_decay": 0.1,
}  # fmt: skip
BASE = {
    "batch_size": 4, "seq_len": 9, "vocab_size": 6, "num_puzzle_identifiers": 3, "puzzle_emb_ndim": 16, "H_cycles": 2,
    "L_cycles": 2, "H_layers": 1, "L_layers": 1, "hidden_size": 16, "expansion": 2, "num_heads": 2,
    "pos_encodings": "rope", "halt_max_steps": 3, "forward_dtype": "float32", "halt_exploration_prob": 0.0,
}  # fmt: skip
Tensors = dict[str, Tensor]


def norm(x: Tensor, eps: float) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


def swiglu(p: Tensors, name: str, x: Tensor) -> Tensor:
    gate, up = (x @ p[f"{name}.gate_up_proj.weight"].T).chunk(2, dim=-1)
    return (F.silu(gate) * up) @ p[f"{name}.down_proj.weight"].T


def attention(p: Tensors, name: str, x: Tensor, heads: int, theta: float | None) -> Tensor:
    batch, length, width = x.shape
    q, k, v = (x @ p[f"{name}.qkv_proj.weight"].T).view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
    if theta is not None:
        half = torch.arange(0, width // heads, 2) / (width // heads)
        angle = torch.outer(torch.arange(length).float(), theta**-half).repeat(1, 2)
        q, k = (t * angle.cos() + torch.cat((-t[..., t.shape[-1] // 2 :], t[..., : t.shape[-1] // 2]), -1) * angle.sin()
                for t in (q, k))  # fmt: skip
    weights = (q @ k.transpose(-1, -2) / math.sqrt(width // heads)).softmax(-1)
    return (weights @ v).transpose(1, 2).reshape(batch, length, width) @ p[f"{name}.o_proj.weight"].T


class Plain:
    """A model as a dictionary of weights under the reference's names."""

    def __init__(self, family: str, config: dict[str, Any], weights: Tensors) -> None:
        self.family, self.c = family, {"rms_norm_eps": 1e-5, "rope_theta": 10000.0, **config}
        fixed = ("inner.H_init", "inner.L_init", "inner.puzzle_emb.weights")
        self.p = {n: w.clone().requires_grad_(n not in fixed) for n, w in weights.items()}
        self.trained = [n for n in self.p if n not in fixed]
        width, puzzle = config["hidden_size"], config["puzzle_emb_ndim"]
        given = config.get("puzzle_emb_len", 16 if family == "trm" else 0)
        self.slots = (given or -(-puzzle // width)) if puzzle else 0
        self.rows: Tensor | None = None

    def level(self, name: str, z: Tensor, add: Tensor) -> Tensor:
        eps, z = self.c["rms_norm_eps"], z + add
        theta = self.c["rope_theta"] if self.c["pos_encodings"] == "rope" else None
        shared = name == "L" or self.family == "trm"
        for i in range(self.c["L_layers" if shared else "H_layers"]):
            block = f"inner.{'L' if shared else 'H'}_level.layers.{i}"
            if self.c.get("mlp_t"):
                z = norm(z.mT + swiglu(self.p, f"{block}.mlp_t", z.mT), eps).mT
            else:
                z = norm(z + attention(self.p, f"{block}.self_attn", z, self.c["num_heads"], theta), eps)
            z = norm(z + swiglu(self.p, f"{block}.mlp", z), eps)
        return z

    def embed(self, batch: Tensors, learn: bool) -> Tensor:
        x = self.p["inner.embed_tokens.embedding_weight"][batch["inputs"].long()]
        width = x.shape[-1]
        if self.slots:
            rows = self.p["inner.puzzle_emb.weights"][batch["puzzle_identifiers"].long()].detach()
            if learn:
                self.rows = rows.requires_grad_()
            padded = F.pad(rows, (0, self.slots * width - rows.shape[-1]))
            x = torch.cat((padded.view(-1, self.slots, width), x), dim=1)
        if self.c["pos_encodings"] == "learned":
            x = math.sqrt(0.5) * (x + self.p["inner.embed_pos.embedding_weight"])
        return math.sqrt(width) * x

    def forward(self, z: Tensors, batch: Tensors, learn: bool = False) -> tuple[Tensors, Tensors]:
        """One segment: new states and outputs."""
        c, x, (h, low) = self.c, self.embed(batch, learn), (z["z_H"], z["z_L"])
        for cycle in range(c["H_cycles"]):
            last = cycle == c["H_cycles"] - 1
            for inner in range(c["L_cycles"]):
                with_gradient = last and (self.family == "trm" or inner == c["L_cycles"] - 1)
                with torch.set_grad_enabled(with_gradient and torch.is_grad_enabled()):
                    low = self.level("L", low, h + x)
            with torch.set_grad_enabled(last and torch.is_grad_enabled()):
                h = self.level("H", h, low)
        q = h[:, 0] @ self.p["inner.q_head.weight"].T + self.p["inner.q_head.bias"]
        logits = (h @ self.p["inner.lm_head.weight"].T)[:, self.slots :]
        return {"z_H": h.detach(), "z_L": low.detach()}, {
            "logits": logits, "q_halt_logits": q[:, 0], "q_continue_logits": q[:, 1]
        }  # fmt: skip

    def call(self, carry: Tensors, batch: Tensors, training: bool) -> tuple[Tensors, Tensors]:
        """One call of the reference's model: refill, a segment, who halts, and the target of Q(continue)."""
        fresh, longest = carry["halted"], self.c["halt_max_steps"]
        begin = {s: self.p[f"inner.{s[-1]}_init"] for s in ("z_H", "z_L")}
        row = {n: torch.where(fresh.view(-1, *[1] * (t.ndim - 1)), batch[n], t) for n, t in carry.items() if n in batch}
        z = {s: torch.where(fresh[:, None, None], begin[s], carry[s]) for s in begin}
        steps = torch.where(fresh, 0, carry["steps"]) + 1
        z, out = self.forward(z, row, training)
        last = steps >= longest
        halted = last.clone()
        if training and longest > 1:
            go_on = out["q_continue_logits"] if self.family == "hrm" else 0
            halted |= out["q_halt_logits"] > go_on
            if self.family == "hrm":
                with torch.no_grad():
                    after = self.forward(z, row)[1]
                best = torch.maximum(after["q_halt_logits"], after["q_continue_logits"])
                out["target_q_continue"] = torch.where(last, after["q_halt_logits"], best).sigmoid()
        return {**z, **row, "steps": steps.int(), "halted": halted}, out

    def start(self, batch: Tensors) -> Tensors:
        shape = (len(batch["inputs"]), self.slots + self.c["seq_len"], self.c["hidden_size"])
        slots = shape[0]
        blank = {name: torch.zeros_like(tensor) for name, tensor in batch.items()}
        states = {"z_H": torch.zeros(shape), "z_L": torch.zeros(shape)}
        return {**states, **blank, "steps": torch.zeros(slots).int(), "halted": torch.ones(slots).bool()}


def token_losses(logits: Tensor, labels: Tensor, loss_type: str) -> Tensor:
    x = logits.double() if loss_type.startswith("stable") else logits
    s = torch.where(x < 0, 1 / (1 - x + 1e-30), x + 1) if loss_type.startswith("stable") else x.exp()
    p = (s / s.sum(-1, keepdim=True)).gather(-1, labels.clamp_min(0).long()[..., None])[..., 0]
    return torch.where(labels == -100, 0, -p.log())


def scored(carry: Tensors, out: Tensors, loss_type: str) -> tuple[Tensor, Tensors]:
    """The loss, a sum over the batch, and the metrics over the slots that halted."""
    labels = carry["labels"]
    count = (labels != -100).sum(-1)
    right = ((out["logits"].argmax(-1) == labels) & (labels != -100)).sum(-1)
    exact, done = right == count, carry["halted"] & (count > 0)
    lm = (token_losses(out["logits"], labels, loss_type) / count.clamp_min(1)[:, None]).sum()
    q = F.binary_cross_entropy_with_logits(out["q_halt_logits"], exact.float(), reduction="sum")
    metrics = {
        "count": done.sum(), "accuracy": (right / count.clamp_min(1))[done].sum(), "exact_accuracy": exact[done].sum(),
        "q_halt_accuracy": ((out["q_halt_logits"] >= 0) == exact)[done].sum(), "steps": carry["steps"][done].sum(),
        "lm_loss": lm, "q_halt_loss": q,
    }  # fmt: skip
    loss = lm + 0.5 * q
    if "target_q_continue" in out:
        target = out["target_q_continue"]
        metrics["q_continue_loss"] = F.binary_cross_entropy_with_logits(
            out["q_continue_logits"], target, reduction="sum"
        )
        loss = loss + 0.5 * metrics["q_continue_loss"]
    return loss, metrics


def record(
    path: Path, family: str, weights: Tensors, *, loss_type: str = "stablemax_cross_entropy", steps: int = 3,
    seed: int = 0, **config: Any,
) -> Path:  # fmt: skip
    """Train and evaluate, and write all of it as golden vectors."""
    c = BASE | config
    random = torch.Generator().manual_seed(seed)
    model, found = Plain(family, c, weights), {f"init/{n}": w.clone() for n, w in weights.items()}

    def batch(prefix: str) -> Tensors:
        size = (c["batch_size"], c["seq_len"])
        labels = torch.randint(1, c["vocab_size"], size, generator=random)
        labels[torch.rand(size, generator=random) < 0.2] = -100
        made = {
            "inputs": torch.randint(0, c["vocab_size"], size, generator=random).int(), "labels": labels.int(),
            "puzzle_identifiers": torch.randint(0, c["num_puzzle_identifiers"], size[:1], generator=random).int(),
        }  # fmt: skip
        found.update({f"{prefix}/batch/{name}": tensor for name, tensor in made.items()})
        return made

    def keep(prefix: str, tensors: Tensors) -> None:
        found.update({f"{prefix}/{n}": t.detach().clone().reshape(t.shape or 1) for n, t in tensors.items()})

    moments = {n: (torch.zeros_like(w), torch.zeros_like(w)) for n, w in model.p.items()}
    carry: Tensors = {}
    for t in range(steps):
        rows = batch(f"train/{t}")
        carry, out = model.call(carry or model.start(rows), rows, training=True)
        loss, metrics = scored(carry, out, loss_type)
        (loss / c["batch_size"]).backward()
        keep(f"train/{t}", {"loss": loss})
        keep(f"train/{t}/out", out)
        keep(f"train/{t}/metrics", metrics)
        keep(f"train/{t}/carry", {n: carry[n] for n in ("steps", "halted", "z_H", "z_L")})
        grads = {
            n: model.p[n].grad if model.p[n].grad is not None else torch.zeros_like(model.p[n]) for n in model.trained
        }
        if t == 0:
            keep("train/0/grad", grads)
            if model.rows is not None:
                keep("train/0/grad", {"inner.puzzle_emb.local_weights": model.rows.grad})
        with torch.no_grad():
            if model.rows is not None:
                sparse_step(model, carry["puzzle_identifiers"])
            for n, g in grads.items():
                if model.p[n].grad is not None:
                    atan2_step(model.p[n], g, *moments[n], t + 1)
                model.p[n].grad = None
    keep("final", model.p)
    rows = batch("eval")
    carry = model.start(rows)
    with torch.no_grad():
        for t in range(c["halt_max_steps"]):
            carry, out = model.call(carry, rows, training=False)
            loss, metrics = scored(carry, out, loss_type)
            keep(f"eval/{t}/out", out)
            keep(f"eval/{t}", {"loss": loss})
    keep("eval/final", {n: carry[n] for n in ("z_H", "z_L")})
    keep("eval/final/metrics", metrics)
    about = {
        "family": family, "config": json.dumps(c), "loss_type": loss_type, "train_steps": str(steps),
        "eval_steps": str(c["halt_max_steps"]), "optimizer": json.dumps(RATES),
    }  # fmt: skip
    save_file(found, path, about)
    return path


def sparse_step(model: Plain, ids: Tensor) -> None:
    table, lr, decay = model.p["inner.puzzle_emb.weights"], RATES["puzzle_emb_lr"], RATES["puzzle_emb_weight_decay"]
    for one in set(ids.tolist()):
        gradient = model.rows.grad[ids == one].sum(0)
        table[one] = table[one] * (1 - lr * decay) - lr * gradient.sign()


def atan2_step(p: Tensor, g: Tensor, m: Tensor, v: Tensor, t: int) -> None:
    (b1, b2), lr = RATES["betas"], RATES["lr"]
    p.mul_(1 - lr * RATES["weight_decay"])
    m.mul_(b1).add_((1 - b1) * g)
    v.mul_(b2).add_((1 - b2) * g * g)
    p.sub_(lr / (1 - b1**t) * torch.atan2(m, v.sqrt() / math.sqrt(1 - b2**t)))
