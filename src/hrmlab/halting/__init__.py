"""Halting policies, all members of `HALTING`."""

from hrmlab.halting.base import HALTING, Check, Glimpse, HaltingConfig, HaltingView, Memory, Outcome
from hrmlab.halting.budget import DepthBudget
from hrmlab.halting.compositions import AllOf, AnyOf, GlobalBudget
from hrmlab.halting.confidence import Confidence, Entropy, Margin
from hrmlab.halting.correctness import Correctness
from hrmlab.halting.exit_distribution import ExitDistribution
from hrmlab.halting.fixed import Fixed
from hrmlab.halting.graves_act import GravesACT
from hrmlab.halting.ponder import Ponder
from hrmlab.halting.q_learning import QLearning
from hrmlab.halting.residual import DampedResidual, Residual
from hrmlab.halting.sampled_depth import SampledDepth
from hrmlab.halting.stability import AnswerStability, KLStability
from hrmlab.halting.verifier import Verifier

__all__ = [
    "HALTING", "AllOf", "AnswerStability", "AnyOf", "Check", "Confidence", "Correctness", "DampedResidual",
    "DepthBudget", "Entropy", "ExitDistribution", "Fixed", "Glimpse", "GlobalBudget", "GravesACT", "HaltingConfig",
    "HaltingView", "KLStability", "Margin", "Memory", "Outcome", "Ponder", "QLearning", "Residual", "SampledDepth",
    "Verifier",
]  # fmt: skip
