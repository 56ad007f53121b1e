"""Blocks: one file each, all members of `BLOCKS`."""

from hrmlab.blocks.base import BLOCKS, BlockConfig, Place, Size
from hrmlab.blocks.mlp_mixer import MLPMixer
from hrmlab.blocks.post_norm import PostNorm
from hrmlab.blocks.pre_norm import PreNorm
from hrmlab.blocks.relational import Relational

__all__ = ["BLOCKS", "BlockConfig", "MLPMixer", "Place", "PostNorm", "PreNorm", "Relational", "Size"]
