"""Tracing on everything: each preset's parts, the reference's own checkpoints, and blocks of the user's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

from hrmlab.analysis.tracing import hooks, sites, trace, unroll
from hrmlab.blocks import BlockConfig, Place, Size
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.interop.golden import Golden
from hrmlab.presets import PRESETS, preset
from hrmlab.spec import TaskSpec

GOLDEN = Path(__file__).parent.parent / "golden"
SMALL = Size(width=16, layers=1, heads=2, round_to=8)


def shrunk(name: str) -> HRM:
    """A preset's schedule and parts at a width of 16."""
    config = preset(name).make()
    puzzle = config.model.puzzle
    small = replace(config.model, size=SMALL, puzzle=None if puzzle is None else replace(puzzle, width=16))
    torch.manual_seed(0)
    return HRM(small, config.task.spec()).eval()


@torch.no_grad()
def plain(model: HRM, batch: Batch, segments: int) -> Tensor:
    return torch.stack([output.logits for output in unroll(model, batch, segments)], 1)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_trace_of_every_preset_leaves_its_answers_as_they_are(name: str, make_batch: Callable[..., Batch]) -> None:
    model = shrunk(name)
    batch = make_batch(model.spec, 1)
    seen = trace(model, batch, "*", 2)
    assert torch.equal(seen.logits, plain(model, batch, 2))
    rows = len(model.schedule.updates)
    assert len(seen.select("*.state")) == len(seen.select("*.sum")) == 2 * rows
    assert {str(at).split("/")[0] for at in seen} == {"seg0", "seg1"}


@pytest.mark.parametrize("name", ["hrm_rope", "hrm_learned_padded_puzzle", "trm_attention", "trm_mlp_mixer"])
def test_the_last_states_of_a_reference_checkpoint_are_those_recorded(name: str) -> None:
    file = Golden.read(GOLDEN / f"{name}.safetensors")
    reference = file.model(torch.float32).eval()
    model, recorded = reference.inner.core, file.batch("train/0")
    batch = Batch(recorded["inputs"].long(), recorded["labels"].long(), recorded["puzzle_identifiers"].long())
    seen = trace(model, batch, ["*.state", "logits"], 1, reduce=None)
    for level, key in (("high", "z_H"), ("low", "z_L")):
        last = list(seen.select(f"{level}.state").values())[-1]
        torch.testing.assert_close(last, file.tensor(f"train/0/carry/{key}"), atol=1e-4, rtol=0)


class Forgetful(nn.Module):
    """A block of the user's own, with a part of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.memory = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Any) -> Tensor:
        return x + torch.tanh(self.memory(x))


@dataclass(frozen=True, kw_only=True)
class ForgetfulConfig(BlockConfig):
    kind: Literal["forgetful"] = "forgetful"

    def build(self, place: Place) -> nn.Module:
        return Forgetful(place.size.width)


def test_a_users_own_block_can_be_looked_into(
    make_spec: Callable[..., TaskSpec], make_model: Callable[..., HRM], make_batch: Callable[..., Batch]
) -> None:
    model = make_model(make_spec(), block=ForgetfulConfig()).eval()
    batch = make_batch(model.spec, 2)
    names = {site.name for site in sites(model)}
    assert {"low.0.memory.in", "low.0.memory.out", "high.state"} <= names
    before = plain(model, batch, 1)
    with hooks(model, forward=[("*.memory.out", lambda x, /, *, at: torch.zeros_like(x))]):
        assert not torch.equal(plain(model, batch, 1), before)
    assert torch.equal(plain(model, batch, 1), before)
