"""`hrm serve` as a process."""

import os
import re
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


class Server:
    """A server of sudoku-6x6, on a free port unless said.

    folder: in which it runs; None for the tests' own.
    """

    def __init__(self, *options: str, folder: Path | None = None, **environment: str) -> None:
        port = [] if "--port" in options else ["--port", "0"]
        command = [sys.executable, "-m", "hrmlab", "serve", "sudoku-6x6", "--threads", "1", *port, *options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=ENVIRONMENT | environment,
        )
        assert self.process.stderr is not None
        said = self.process.stderr.readline()
        found = re.search(r"(http://\S+) answers sudoku-6x6", said)
        assert found is not None, said + self.process.stderr.read()
        self.url = found[1]

    def ended(self) -> tuple[int, str, str]:
        out, error = self.process.communicate(timeout=60)
        return self.process.returncode, out, error

    def end(self) -> None:
        """At once, and all that it has begun."""
        self.process.kill()
        self.process.communicate()
