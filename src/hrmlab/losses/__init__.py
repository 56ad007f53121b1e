"""Token losses: members of `LOSSES`. Halting losses belong to the halting policies."""

from hrmlab.losses.base import IGNORE, LOSSES, LossConfig
from hrmlab.losses.cross_entropy import SoftmaxCrossEntropy, StablemaxCrossEntropy

__all__ = ["IGNORE", "LOSSES", "LossConfig", "SoftmaxCrossEntropy", "StablemaxCrossEntropy"]
