"""The command `hrm`: reads arguments, calls `hrmlab.api`, prints what comes back. Nothing heavy is imported here."""

from hrmlab.cli.entry import main

__all__ = ["main"]
