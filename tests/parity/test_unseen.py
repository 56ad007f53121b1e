"""Configurations of which there is no recording of the reference: recorded with the plain model of these tests."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_reference import BASE, record
from torch import Tensor

from hrmlab.interop.golden import MODELS
from hrmlab.interop.parity import check


def weights(family: str, config: dict[str, Any], seed: int) -> dict[str, Tensor]:
    """Initial weights under the reference's names, with a halting head that is awake and puzzle vectors that differ."""
    torch.manual_seed(seed)
    state = {name: tensor.clone() for name, tensor in MODELS[family](BASE | config).state_dict().items()}
    torch.nn.init.normal_(state["inner.q_head.weight"], std=0.5)
    state["inner.q_head.bias"].zero_()
    if "inner.puzzle_emb.weights" in state:
        torch.nn.init.normal_(state["inner.puzzle_emb.weights"], std=0.5)
    return state


CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "one segment": ("hrm", {"halt_max_steps": 1}),
    "trm, one segment": ("trm", {"H_layers": 0, "halt_max_steps": 1}),
    "many segments": ("hrm", {"halt_max_steps": 7}),
    "wide eps": ("hrm", {"rms_norm_eps": 1e-2}),
    "short waves": ("hrm", {"rope_theta": 50.0}),
    "no positions": ("hrm", {"pos_encodings": "none"}),
    "learned positions": ("trm", {"H_layers": 0, "pos_encodings": "learned", "puzzle_emb_len": 3}),
    "three padded slots": ("hrm", {"puzzle_emb_ndim": 40}),
    "a narrow puzzle vector": ("hrm", {"puzzle_emb_ndim": 5}),
    "five slots": ("trm", {"H_layers": 0, "puzzle_emb_len": 5}),
    "softmax": ("hrm", {"loss_type": "softmax_cross_entropy"}),
    "trm, softmax, no puzzle": ("trm", {"H_layers": 0, "puzzle_emb_ndim": 0, "loss_type": "softmax_cross_entropy"}),
    "mixer, no puzzle": ("trm", {"H_layers": 0, "mlp_t": True, "pos_encodings": "none", "puzzle_emb_ndim": 0}),
    "mixer, 2 slots": ("trm", {"H_layers": 0, "mlp_t": True, "pos_encodings": "none", "puzzle_emb_len": 2}),
    "deep and short": ("hrm", {"H_layers": 3, "L_layers": 2, "H_cycles": 1, "L_cycles": 1}),
    "long": ("hrm", {"H_cycles": 3, "L_cycles": 4, "expansion": 4}),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_unseen(tmp_path: Path, name: str) -> None:
    family, config = CONFIGS[name]
    shape = {key: value for key, value in config.items() if key != "loss_type"}
    path = record(tmp_path / "x.safetensors", family, weights(family, shape, 1), **config)
    findings = check(path)
    assert findings.ok, dict(findings.share)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(
    trm=st.booleans(),
    cycles=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    heads=st.sampled_from([1, 2, 3]),
    head_width=st.sampled_from([2, 6, 8]),
    puzzle=st.integers(0, 60),
    longest=st.integers(1, 4),
    positions=st.sampled_from(["rope", "learned", "none"]),
    theta=st.floats(10, 1e6),
    eps=st.floats(1e-6, 1e-2),
    seed=st.integers(0, 99),
)
def test_any_size(
    tmp_path: Path, trm: bool, cycles: tuple[int, int], heads: int, head_width: int, puzzle: int, longest: int,
    positions: str, theta: float, eps: float, seed: int,
) -> None:  # fmt: skip
    config = {
        "H_cycles": cycles[0], "L_cycles": cycles[1], "hidden_size": heads * head_width, "num_heads": heads,
        "puzzle_emb_ndim": puzzle, "halt_max_steps": longest, "pos_encodings": positions, "rope_theta": theta,
        "rms_norm_eps": eps,
    } | ({"H_layers": 0, "puzzle_emb_len": 0} if trm else {})  # fmt: skip
    family = "trm" if trm else "hrm"
    path = record(tmp_path / "x.safetensors", family, weights(family, config, seed), steps=2, seed=seed, **config)
    findings = check(path)
    assert findings.ok, dict(findings.share)
