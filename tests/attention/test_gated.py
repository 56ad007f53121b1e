"""Gated attention: attention as ever, then a gate on each number that the heads read."""

import torch

from hrmlab.attention import Context, Gated, Place, Size
from hrmlab.attention.sdpa import SelfAttention
from hrmlab.layers import rotation
from hrmlab.spec import TaskSpec

PLACE = Place(Size(width=16, heads=2), TaskSpec(seq_len=5, vocab_size=4), 5, 0, False)


def test_it_is_attention_through_a_gate() -> None:
    module, x = Gated().build(PLACE), torch.randn(3, 5, 16)
    plain = SelfAttention(PLACE.size)
    plain.load_state_dict({name: tensor for name, tensor in module.state_dict().items() if "gate" not in name})
    for context in (Context(), Context(rotation(5, 8, 100.0)), Context(mask=torch.ones(5, 5, dtype=torch.bool).tril())):
        want = plain.out(torch.sigmoid(x @ module.gate.weight.T) * plain.mixed(x, context))
        torch.testing.assert_close(module(x, context), want)
    with torch.no_grad():
        module.gate.weight.zero_()  # every gate half open
    torch.testing.assert_close(module(x, Context()), plain(x, Context()) / 2)
