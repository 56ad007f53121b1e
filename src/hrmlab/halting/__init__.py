"""Halting policies: one file each, all members of `HALTING`."""

from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView
from hrmlab.halting.correctness import Correctness
from hrmlab.halting.fixed import Fixed
from hrmlab.halting.q_learning import QLearning

__all__ = ["HALTING", "Correctness", "Fixed", "HaltingConfig", "HaltingView", "QLearning"]
