"""A reasoning module of your own in the high level: slots of memory that its cells read and that the weights hold.

    python examples/memory_module.py
    hrm train hrm-sudoku-4x4 model.embedding=tokens model.block=post_norm model.positions=rotary model.size.heads=4 \
        "high.blocks[0]=memory" --import examples.memory_module

The block stands in the high level's stack alone; the low level keeps its own.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab import api
from hrmlab.attention import Context
from hrmlab.blocks import BLOCKS, BlockConfig, Place
from hrmlab.kernels import add_rms_norm
from hrmlab.layers import Linear, SwiGLU


@BLOCKS.register(source="memory slots as in Burtsev et al. 2020, arXiv 2006.11527, read only")
@dataclass(frozen=True, kw_only=True)
class Memory(BlockConfig):
    """Every cell reads a learned memory by attention, then thinks by SwiGLU; each is added and normalised.

    slots: vectors of memory.
    start: size of what is read at first. 0 would leave the memory without gradient until something else has moved.
    """

    kind: Literal["memory"] = "memory"
    slots: int = 16
    start: float = 0.1

    def build(self, place: Place) -> nn.Module:
        size = self.cells_only(place).size
        return MemoryBlock(size.width, size.heads, size.hidden, self)


class MemoryBlock(nn.Module):
    """x <- norm(x + gain * read(x)); x <- norm(x + mlp(x))."""

    def __init__(self, width: int, heads: int, hidden: int, config: Memory) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.out = Linear(width, width), Linear(width, width)
        self.keys = nn.Parameter(torch.randn(config.slots, width))
        self.values = nn.Parameter(torch.randn(config.slots, width))
        self.gain = nn.Parameter(torch.full((width,), config.start))
        self.mlp = SwiGLU(width, hidden)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        x = add_rms_norm(x, self.gain.to(x.dtype) * self.read(x), 1e-5)
        mixed: Tensor = add_rms_norm(x, self.mlp(x), 1e-5)
        return mixed

    def read(self, x: Tensor) -> Tensor:
        """What the cells find in the memory, (B, N, W)."""
        queries = self.query(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        keys, values = (
            part.to(x.dtype).unflatten(-1, (self.heads, -1)).transpose(0, 1).expand(len(x), -1, -1, -1)
            for part in (self.keys, self.values)
        )
        found: Tensor = self.out(F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2))
        return found


PARTS = ("model.embedding=tokens", "model.block=post_norm", "model.positions=rotary", "model.size.heads=4")

if __name__ == "__main__":
    torch.set_num_threads(1)
    result = api.check("memory", kind="block")
    for check in result.checks:
        print(f"{'ok' if check.ok else '--' if check.ok is None else 'NO'}  {check.name}  {check.why}")
    inspected = api.inspect("hrm-sudoku-4x4", [*PARTS, "high.blocks[0]=memory"])
    print(inspected.table)
    print({name: count for name, count in inspected.parameters.items() if name.startswith("network")})
    sizes = ("model.size.width=32", "data.train=500", "data.test=50")
    run = api.train("hrm-sudoku-4x4", [*PARTS, *sizes, "high.blocks[0]=memory"], steps=30, threads=1, quiet=True)
    print(f"trained {run.steps} steps into {run.run}")
