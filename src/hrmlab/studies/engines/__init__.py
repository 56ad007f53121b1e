"""Where the runs of a study compute: this machine, a Ray cluster, or Slurm's queue."""

from hrmlab.studies.engines.base import ENGINES, Engine, Job, Launcher, Outcome
from hrmlab.studies.engines.local import Local
from hrmlab.studies.engines.ray import Ray
from hrmlab.studies.engines.slurm import Slurm

__all__ = ["ENGINES", "Engine", "Job", "Launcher", "Local", "Outcome", "Ray", "Slurm"]
