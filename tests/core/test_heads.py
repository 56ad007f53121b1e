"""The halting head starts at its bias and reads where it is told to."""

import pytest
import torch

from hrmlab.core.heads import HaltingHead, HaltingHeadConfig


@pytest.mark.parametrize("readout", ["first", "mean"])
@pytest.mark.parametrize("shape", [(3, 5, 8), (3, 5, 2, 8)])
def test_both_values_start_at_the_bias_whatever_the_state(readout: str, shape: tuple[int, ...]):
    head = HaltingHead(8, HaltingHeadConfig(readout=readout, bias=-2.5))
    assert torch.equal(head(torch.randn(shape)), torch.full((3, 2), -2.5))


def awake(readout: str) -> HaltingHead:
    head = HaltingHead(8, HaltingHeadConfig(readout=readout, bias=0.5))
    torch.nn.init.normal_(head.linear.weight)
    return head


def test_first_reads_the_first_position_alone():
    head, state = awake("first"), torch.randn(2, 5, 8)
    torch.testing.assert_close(head(state), state[:, 0] @ head.linear.weight.T + 0.5)


@pytest.mark.parametrize("shape", [(2, 5, 8), (2, 5, 3, 8)])
def test_mean_reads_all_positions_alike(shape: tuple[int, ...]):
    head, state = awake("mean"), torch.randn(shape)
    expected = state.flatten(1, -2).mean(1) @ head.linear.weight.T + 0.5
    torch.testing.assert_close(head(state), expected)


@pytest.mark.parametrize("readout", ["first", "mean"])
def test_values_are_float32_whatever_the_state(readout: str):
    assert awake(readout)(torch.randn(2, 5, 8).bfloat16()).dtype == torch.float32
