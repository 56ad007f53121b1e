"""Attention kinds: one file each, all members of `ATTENTION`."""

from hrmlab.attention.base import ATTENTION, AttentionConfig, Context, leading
from hrmlab.attention.biased import Biased
from hrmlab.attention.flex import Flex
from hrmlab.attention.gated import Gated
from hrmlab.attention.grouped_query import GroupedQuery
from hrmlab.attention.linear import LinearAttention
from hrmlab.attention.place import Place, Size
from hrmlab.attention.registers import Registers
from hrmlab.attention.relational import RelationalHeads
from hrmlab.attention.sdpa import SDPA
from hrmlab.attention.windowed import Windowed

__all__ = [
    "ATTENTION",
    "SDPA",
    "AttentionConfig",
    "Biased",
    "Context",
    "Flex",
    "Gated",
    "GroupedQuery",
    "LinearAttention",
    "Place",
    "Registers",
    "RelationalHeads",
    "Size",
    "Windowed",
    "leading",
]
