"""The pre-norm block and the norm that closes its network."""

import torch

from hrmlab.attention import Context
from hrmlab.blocks import Place, PreNorm, Size
from hrmlab.core.recurrence import Network
from hrmlab.kernels import rms_norm
from hrmlab.spec import TaskSpec

SIZE = Size(width=16, layers=1, heads=2, expansion=2, round_to=8)
PLACE = Place(SIZE, TaskSpec(seq_len=5, vocab_size=4, num_identifiers=1), 5, 0, False)


def test_the_parts_read_a_normalised_state_and_add_to_the_state_itself() -> None:
    block, x = PreNorm(eps=1e-3).build(PLACE), 10 * torch.randn(2, 5, 16)
    after = x + block.attention(rms_norm(x, 1e-3), Context())
    torch.testing.assert_close(block(x, Context()), after + block.mlp(rms_norm(after, 1e-3)))
    with torch.no_grad():
        for weight in (block.attention.out.weight, block.mlp.down.weight):
            weight.zero_()
    assert torch.equal(block(x, Context()), x)


def test_a_network_of_them_ends_normalised() -> None:
    config = PreNorm(eps=1e-6)
    blocks, x = [config.build(PLACE) for _ in range(3)], 10 * torch.randn(2, 5, 16)
    network = Network(blocks, config.finish(PLACE))
    want = x
    for block in blocks:
        want = block(want, Context())
    out = network(x, Context())
    torch.testing.assert_close(out, rms_norm(want, 1e-6))
    torch.testing.assert_close(out.square().mean(-1), torch.ones(2, 5), atol=1e-4, rtol=0)
    assert set(network.state_dict()) == {f"blocks.{i}.{name}" for i in range(3) for name in blocks[0].state_dict()}
