"""Where code of others runs: a process that can read libraries, write one folder, and nothing else."""

from hrmlab.specialist.sandbox.launch import Ended, Limits, available, launch

__all__ = ["Ended", "Limits", "available", "launch"]
