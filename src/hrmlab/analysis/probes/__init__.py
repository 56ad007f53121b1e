"""Diagnostics of hierarchical recurrent models, each a probe: it measures, compares with thresholds, returns data."""

from importlib import import_module
from pkgutil import walk_packages

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.subject import Learner, Subject

for _module in walk_packages(__path__, f"{__name__}."):  # every probe registers itself
    import_module(_module.name)

__all__ = ["PROBES", "Learner", "NotApplicable", "Outcome", "Probe", "Subject", "Threshold"]
