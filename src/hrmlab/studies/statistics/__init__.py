"""Statistics of runs: few, paired by seed, rarely normal. Plain numpy; every draw comes from a seed."""

from hrmlab.studies.statistics.aggregate import interquartile_interval, interquartile_mean
from hrmlab.studies.statistics.base import Alternative, Floats, Interval
from hrmlab.studies.statistics.bootstrap import hierarchical_interval, paired_interval
from hrmlab.studies.statistics.family import holm
from hrmlab.studies.statistics.improvement import probability_of_improvement
from hrmlab.studies.statistics.mcnemar import McNemar, mcnemar
from hrmlab.studies.statistics.power import minimal_detectable, noise_floor, pairs_needed
from hrmlab.studies.statistics.sign_flip import sign_flip, smallest_p

__all__ = [
    "Alternative",
    "Floats",
    "Interval",
    "McNemar",
    "hierarchical_interval",
    "holm",
    "interquartile_interval",
    "interquartile_mean",
    "mcnemar",
    "minimal_detectable",
    "noise_floor",
    "paired_interval",
    "pairs_needed",
    "probability_of_improvement",
    "sign_flip",
    "smallest_p",
]
