"""HRM-Text: another program's language model computes the same in our schedule and parts."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from plain_reference import norm
from torch import Tensor

from hrmlab.core.model import HRM
from hrmlab.errors import CheckpointError, ConfigError, MissingExtraError
from hrmlab.interop import hrm_text

SHAPE = {
    "vocab_size": 40, "hidden_size": 16, "intermediate_size": 21, "num_attention_heads": 2, "head_dim": 8,
    "rms_norm_eps": 1e-6, "H_cycles": 2, "L_cycles": 3, "L_bp_cycles": [2], "embedding_scale": 50.0,
}  # fmt: skip
VARIANTS: dict[str, dict[str, Any]] = {
    "published cycles": {},
    "one cycle": {"H_cycles": 1, "L_cycles": 1},
    "long, all low gradients at the end": {"H_cycles": 3, "L_cycles": 4, "L_bp_cycles": [1, 4]},
    "more gradients than cycles": {"L_cycles": 2, "L_bp_cycles": [3, 1, 2]},
    "another eps and scale": {"rms_norm_eps": 1e-2, "embedding_scale": 3.0, "head_dim": 4, "num_attention_heads": 4},
}
TOKENS = torch.randint(0, 40, (3, 9), generator=torch.Generator().manual_seed(0))
PREFIX = (torch.arange(9) < torch.tensor([[0], [3], [8]])).long()


class Plain:
    """The model written out from its paper, with random weights under the names of transformers."""

    def __init__(self, layers: int = 2, **changes: Any) -> None:
        fixed = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False}
        rope = {"rope_type": "default", "rope_theta": 500.0}
        self.config = SimpleNamespace(**(SHAPE | fixed | changes), num_layers_per_stack=layers, rope_parameters=rope)
        random, c = torch.Generator().manual_seed(1), self.config
        width, inner = c.hidden_size, c.intermediate_size
        attention = {f"self_attn.{n}_proj": (width, width) for n in "qkvo"} | {"self_attn.gate_proj": (width, width)}
        mlp = {"mlp.gate_proj": (inner, width), "mlp.up_proj": (inner, width), "mlp.down_proj": (width, inner)}
        shapes = {"model.z_L_init": (width,), "model.embed_tokens.weight": (40, width), "lm_head.weight": (40, width)}
        for stack in "HL":
            for layer in range(layers):
                place = f"model.{stack}_module.layers.{layer}"
                shapes |= {f"{place}.{name}.weight": shape for name, shape in (attention | mlp).items()}
        self.p = {name: 0.3 * torch.randn(shape, generator=random) for name, shape in shapes.items()}

    def state_dict(self) -> dict[str, Tensor]:
        return self.p

    def stack(self, stack: str, x: Tensor, see: Tensor) -> Tensor:
        c = self.config
        for layer in range(c.num_layers_per_stack):
            place = f"model.{stack}_module.layers.{layer}"
            x = x + self.attention(f"{place}.self_attn", norm(x, c.rms_norm_eps), see)
            y = norm(x, c.rms_norm_eps)
            gate, up = (y @ self.p[f"{place}.mlp.{n}_proj.weight"].T for n in ("gate", "up"))
            x = x + (F.silu(gate) * up) @ self.p[f"{place}.mlp.down_proj.weight"].T
        return norm(x, c.rms_norm_eps)

    def attention(self, place: str, x: Tensor, see: Tensor) -> Tensor:
        heads, length = self.config.num_attention_heads, x.shape[1]
        q, k, v, gate = (x @ self.p[f"{place}.{n}_proj.weight"].T for n in ("q", "k", "v", "gate"))
        q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
        half = q.shape[-1] // 2
        angle = torch.outer(torch.arange(length).float(), 500.0 ** -(torch.arange(half) / half)).repeat(1, 2)
        q, k = (t * angle.cos() + torch.cat((-t[..., half:], t[..., :half]), -1) * angle.sin() for t in (q, k))
        scores = (q @ k.mT / (2 * half) ** 0.5).masked_fill(~see, -torch.inf)
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
        return (gate.sigmoid() * mixed) @ self.p[f"{place}.o_proj.weight"].T

    def logits(self, tokens: Tensor, prefix: Tensor) -> Tensor:
        c, at = self.config, torch.arange(tokens.shape[1])
        together = (prefix[:, :, None] == 1) & (prefix[:, None, :] == 1)
        see = (together | (at[None, :] <= at[:, None]))[:, None]
        high = c.embedding_scale * self.p["model.embed_tokens.weight"][tokens]
        low = self.p["model.z_L_init"].expand_as(high)
        for _ in range(c.H_cycles):
            for _ in range(c.L_cycles):
                low = self.stack("L", low + high, see)
            high = self.stack("H", high + low, see)
        return high @ self.p["lm_head.weight"].T


@pytest.mark.parametrize("name", VARIANTS)
def test_the_model_of_the_paper_computes_the_same(name: str) -> None:
    plain = Plain(**VARIANTS[name])
    model = hrm_text.load(plain, 9)
    for prefix in (torch.zeros_like(PREFIX), PREFIX):
        want, found = plain.logits(TOKENS, prefix), hrm_text.logits(model, TOKENS, prefix)
        assert want.abs().max() > 0.5
        torch.testing.assert_close(found, want, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(hrm_text.logits(model, TOKENS), want, atol=1e-2)


def test_a_shorter_text_reads_nothing_of_what_it_is_filled_with() -> None:
    plain = Plain()
    want, model = hrm_text.logits(hrm_text.load(plain, 9), TOKENS, PREFIX), hrm_text.load(plain, 20)
    torch.testing.assert_close(hrm_text.logits(model, TOKENS, PREFIX), want, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(hrm_text.logits(model, TOKENS[:, :5]), hrm_text.logits(model, TOKENS)[:, :5])
    with pytest.raises(ConfigError, match="a text of 21 tokens"):
        hrm_text.logits(model, torch.zeros(1, 21, dtype=torch.int64))


def test_the_table_of_updates_says_how_it_recurs() -> None:
    model = hrm_text.load(Plain(), 9)
    assert model.schedule.describe().splitlines() == [
        "  0  low  <- low(low + input)",
        "  1  low  <- low(low + input)",
        "  2  low  <- low(low + input)   gradient",
        "  3  high <- high(high + low + input)   gradient",
        "  4  low  <- low(low + high)",
        "  5  low  <- low(low + high)   gradient",
        "  6  low  <- low(low + high)   gradient",
        "  7  high <- high(high + low)   gradient",
        "8 updates, 5 with gradient; the answer is read from 'high'",
    ]
    assert not model.initial[0].any() and model.initial[1].any()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"head_dim": 128}, "head_dim=128 came; the parts here have head_dim=8"),
        ({"hidden_act": "gelu"}, "hidden_act='gelu'"),
        ({"attention_bias": True}, "attention_bias=True"),
        ({"mlp_bias": True}, "mlp_bias=True"),
    ],
)
def test_settings_that_the_parts_do_not_have_are_named(changes: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError) as raised:
        hrm_text.load(Plain(**changes), 9)
    assert part in str(raised.value)


def test_a_stretched_rope_is_refused() -> None:
    plain = Plain()
    plain.config.rope_parameters["rope_type"] = "yarn"
    with pytest.raises(ConfigError, match="rope_type='yarn'"):
        hrm_text.load(plain, 9)


@pytest.mark.parametrize(
    ("edit", "part"),
    [
        (lambda p: p.pop("model.L_module.layers.1.mlp.up_proj.weight"), "layers.1.mlp.up_proj.weight missing"),
        (lambda p: p.update({"model.more": torch.zeros(1)}), "model.more is not in the model"),
        (lambda p: p.update({"lm_head.weight": torch.zeros(3, 16)}), "answer.weight has shape (3, 16)"),
    ],
)
def test_tensors_that_do_not_fit_are_named(edit: Callable[[dict[str, Tensor]], object], part: str) -> None:
    plain = Plain()
    edit(plain.p)
    with pytest.raises(CheckpointError) as raised:
        hrm_text.load(plain, 9)
    assert part in str(raised.value)


def test_a_name_needs_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'hrm-lab\[text\]'"):
        hrm_text.load("owner/name", 9)


@pytest.fixture
def theirs() -> Callable[..., Any]:
    """A small random model of transformers."""
    why = "needs transformers 5.9 or later; python3 tools/setup.py text installs it"
    transformers = pytest.importorskip("transformers", minversion="5.9", reason=why)

    def make(**changes: Any) -> Any:
        config = transformers.HrmTextConfig(num_hidden_layers=2, **(SHAPE | changes))
        model = transformers.HrmTextForCausalLM(config).eval()
        random = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for tensor in model.state_dict().values():
                tensor.copy_(0.3 * torch.randn(tensor.shape, generator=random))
        return model

    return make


def gradients(model: HRM, config: Any, found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Theirs under our names. What scales a weight divides its gradient."""
    ours = hrm_text._to_ours(found, model, config)
    ours["embedding.tokens"] /= config.embedding_scale**2 / config.hidden_size
    return {name: ours[name] for name, _ in model.named_parameters() if not name.startswith("halting_head.")}


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("name", VARIANTS)
def test_the_model_of_transformers_computes_the_same(theirs: Callable[..., Any], name: str) -> None:
    """Logits, causal and with a prefix, and every gradient: which rows carry it is part of the table."""
    reference = theirs(**VARIANTS[name])
    model = hrm_text.load(reference, 9)
    for prefix in (None, PREFIX):
        want = reference(TOKENS, token_type_ids=prefix, use_cache=False).logits
        found = hrm_text.logits(model, TOKENS, prefix)
        assert want.abs().max() > 0.5
        torch.testing.assert_close(found, want, atol=1e-4, rtol=0)
    direction = torch.randn(want.shape, generator=torch.Generator().manual_seed(3))
    for out in (want, found):
        (out * direction).sum().backward()
    grads = {
        key: torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        for key, tensor in reference.state_dict(keep_vars=True).items()
    }
    parameters = dict(model.named_parameters())
    for key, grad in gradients(model, reference.config, grads).items():
        torch.testing.assert_close(parameters[key].grad, grad, atol=1e-4 * float(grad.abs().max()), rtol=1e-3)


@pytest.mark.filterwarnings("ignore")  # theirs
def test_a_folder_of_transformers_is_read(theirs: Callable[..., Any], tmp_path: Path) -> None:
    reference = theirs(tie_word_embeddings=True)
    reference.save_pretrained(tmp_path / "saved")
    with torch.no_grad():
        want = reference(TOKENS, use_cache=False).logits
    found = hrm_text.logits(hrm_text.load(tmp_path / "saved", 9), TOKENS)
    torch.testing.assert_close(found, want, atol=1e-4, rtol=0)
    with pytest.raises(CheckpointError, match="no hrm_text model can be read"):
        hrm_text.load(tmp_path, 9)
