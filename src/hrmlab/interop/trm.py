"""Drop-in classes for TRM's repository (models/recursive_reasoning/trm.py, models/losses.py)."""

from typing import Literal

from hrmlab.interop.arch import Arch
from hrmlab.interop.faces import ACTCarry, InnerCarry, ReferenceModel
from hrmlab.interop.loss_head import ACTLossHead
from hrmlab.interop.sparse import CastedSparseEmbedding, CastedSparseEmbeddingSignSGD_Distributed

__all__ = [
    "ACTLossHead",
    "CastedSparseEmbedding",
    "CastedSparseEmbeddingSignSGD_Distributed",
    "TinyRecursiveReasoningModel_ACTV1",
    "TinyRecursiveReasoningModel_ACTV1Carry",
    "TinyRecursiveReasoningModel_ACTV1Config",
    "TinyRecursiveReasoningModel_ACTV1InnerCarry",
]

TinyRecursiveReasoningModel_ACTV1InnerCarry = InnerCarry
TinyRecursiveReasoningModel_ACTV1Carry = ACTCarry


class TinyRecursiveReasoningModel_ACTV1Config(Arch):
    """TRM's configuration. `no_ACT_continue: False`, which the reference cannot run, halts by Q-learning here."""

    family: Literal["trm"] = "trm"
    puzzle_emb_len: int = 16
    no_ACT_continue: bool = True


class TinyRecursiveReasoningModel_ACTV1(ReferenceModel):
    """TRM: one network for both states, gradient through the last high cycle (arXiv 2510.04871)."""

    Config = TinyRecursiveReasoningModel_ACTV1Config
