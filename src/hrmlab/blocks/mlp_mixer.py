"""TRM's attention-free block: a SwiGLU across positions in the place of attention."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from hrmlab.attention import Context
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.kernels import add_rms_norm
from hrmlab.layers import SwiGLU, feed_forward_width


@BLOCKS.register(source="Jolicoeur-Martineau 2025, arXiv 2510.04871; Tolstikhin et al. 2021, arXiv 2105.01601")
@dataclass(frozen=True, kw_only=True)
class MLPMixer(BlockConfig):
    """Token mixing by a SwiGLU over positions, then a SwiGLU over the width; weights depend on the board's size."""

    kind: Literal["mlp_mixer"] = "mlp_mixer"
    eps: float = 1e-5

    def build(self, place: Place) -> nn.Module:
        size = self.cells_only(place).size
        across = SwiGLU(place.positions, feed_forward_width(place.positions, size.expansion, size.round_to))
        within = SwiGLU(size.width, size.hidden)
        return MixerBlock(across, within, self.eps)


class MixerBlock(nn.Module):
    """x <- norm(x + across(x^T)^T); x <- norm(x + within(x))."""

    def __init__(self, across: nn.Module, within: nn.Module, eps: float) -> None:
        super().__init__()
        self.across, self.within, self.eps = across, within, eps

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        turned = x.transpose(1, 2)  # TRM's first norm runs over the positions, not the width
        x = add_rms_norm(turned, self.across(turned), self.eps).transpose(1, 2)
        return add_rms_norm(x, self.within(x), self.eps)
