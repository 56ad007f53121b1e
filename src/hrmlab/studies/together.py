"""Several processes at the same work, until all of them have ended."""

import json
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from hrmlab.errors import HrmLabError
from hrmlab.studies.worker import work


def together(function: str, jobs: int, folder: Path, modules: Sequence[str] = ()) -> None:
    """Call a function on a folder in several processes at once, of one thread each; their words go to its log.txt.

    Args:
        function: `module:name`, called with the folder.
        modules: that every process imports first.

    Raises:
        HrmLabError: none of them came to its end; the message is the first one's.
    """
    spawn = get_context("spawn")
    crew = []
    for _ in range(jobs):
        reader, writer = spawn.Pipe(duplex=False)
        process = spawn.Process(target=work, args=(function, str(folder), modules, writer), daemon=True)
        process.start()
        writer.close()
        crew.append((process, reader))
    reasons = []
    try:
        for process, reader in crew:
            try:
                reason = json.loads(reader.recv()).get("reason")
            except EOFError:
                reason = "its process ended without a word"
            process.join()
            reasons.append(reason)
    finally:
        for process, _ in crew:
            process.terminate()
    if all(reasons):
        raise HrmLabError(f"{reasons[0]} (see {folder / 'log.txt'})")
