"""Attention kinds: one file each, all members of `ATTENTION`."""

from hrmlab.attention.base import ATTENTION, AttentionConfig, Context
from hrmlab.attention.gated import Gated
from hrmlab.attention.place import Place, Size
from hrmlab.attention.sdpa import SDPA

__all__ = ["ATTENTION", "SDPA", "AttentionConfig", "Context", "Gated", "Place", "Size"]
