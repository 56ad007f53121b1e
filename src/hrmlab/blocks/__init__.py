"""Blocks: one file each, all members of `BLOCKS`."""

from hrmlab.blocks.base import BLOCKS, BlockConfig, Place, Size
from hrmlab.blocks.conv_swiglu import ConvSwiGLU
from hrmlab.blocks.gated_residual import GatedResidual
from hrmlab.blocks.low_rank import LowRank
from hrmlab.blocks.mixture import Mixture
from hrmlab.blocks.mlp_mixer import MLPMixer
from hrmlab.blocks.parallel import Parallel
from hrmlab.blocks.post_norm import PostNorm
from hrmlab.blocks.pre_norm import PreNorm
from hrmlab.blocks.relational import Relational
from hrmlab.blocks.sandwich import Sandwich

__all__ = [
    "BLOCKS",
    "BlockConfig",
    "ConvSwiGLU",
    "GatedResidual",
    "LowRank",
    "MLPMixer",
    "Mixture",
    "Parallel",
    "Place",
    "PostNorm",
    "PreNorm",
    "Relational",
    "Sandwich",
    "Size",
]
