"""Gates on what the parts add."""

from collections.abc import Callable

import torch

from hrmlab.attention import Context
from hrmlab.blocks import GatedResidual, Place, PreNorm
from hrmlab.core.recurrence import Network
from hrmlab.kernels import rms_norm


def test_gates_of_one_are_the_pre_norm_block(make_place: Callable[..., Place]) -> None:
    place, x = make_place(), 3 * torch.randn(2, 16, 16)
    block, plain = GatedResidual(gate=1.0).build(place), PreNorm().build(place)
    plain.load_state_dict({name: part for name, part in block.state_dict().items() if "gate" not in name.split("_")})
    torch.testing.assert_close(block(x, Context()), plain(x, Context()))


def test_each_feature_has_its_own_gate(make_place: Callable[..., Place]) -> None:
    block, x = GatedResidual(gate=0.0).build(make_place()), torch.randn(2, 16, 16)
    with torch.no_grad():
        block.attention_gate[3] = 0.5
        block.mlp_gate[7] = 2.0
    middle = x.clone()
    middle[..., 3] += 0.5 * block.attention(rms_norm(x, 1e-6), Context())[..., 3]
    want = middle.clone()
    want[..., 7] += 2 * block.mlp(rms_norm(middle, 1e-6))[..., 7]
    torch.testing.assert_close(block(x, Context()), want)


def test_closed_gates_are_the_identity_and_learn_to_open(make_place: Callable[..., Place]) -> None:
    config, place, x = GatedResidual(gate=0.0), make_place(), torch.randn(2, 16, 16)
    block = config.build(place)
    out = block(x, Context())
    assert torch.equal(out, x)
    (out * torch.randn_like(out)).sum().backward()
    assert block.attention_gate.grad.ne(0).all() and not block.mlp.down.weight.grad.any()
    torch.testing.assert_close(Network([block], config.finish(place))(x, Context()), rms_norm(x, 1e-6))
