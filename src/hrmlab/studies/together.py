"""Several processes at the same work, until all of them have ended."""

import time
from collections.abc import Sequence
from pathlib import Path

from hrmlab.errors import HrmLabError
from hrmlab.studies.engines import Engine, Local, Outcome

LOOK = 0.5
"""Seconds between looks at who has ended."""
PATIENCE = 5.0


def together(function: str, jobs: int, folder: Path, modules: Sequence[str] = (), engine: Engine | None = None) -> None:
    """Call a function on a folder in several processes at once, of one thread each; their words go to its log.txt.

    Args:
        function: `module:name`, called with the folder.
        modules: that every process imports first.
        engine: where they run; None is this machine.

    Raises:
        HrmLabError: none of them came to its end; the message is the first one's.
    """
    launcher = (engine or Local()).launcher(function, modules, folder)
    crew = [launcher.start(folder) for _ in range(jobs)]
    outcomes: dict[int, Outcome] = {}
    try:
        while len(outcomes) < jobs:
            for number, job in enumerate(crew):
                if number not in outcomes and (outcome := job.outcome()) is not None:
                    outcomes[number] = outcome
            time.sleep(LOOK)
    finally:
        for number, job in enumerate(crew):
            if number not in outcomes:
                job.stop()
            job.close(PATIENCE)
    reasons = [outcomes[number].reason for number in range(jobs)]
    if all(reasons):
        raise HrmLabError(f"{reasons[0]} (see {folder / 'log.txt'})")
