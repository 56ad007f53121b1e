"""docs/serving.md asks a server, and shows what it says."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from docs.pages import blocks
from docs.shell import Command, commands

pytest.importorskip("fastapi", reason="wants `pip install 'hrm-lab[web]'`")
PAGE = "docs/serving.md"
VARIES = {"confidence": 0.01}
"""What is compared to so much: rounding differs between machines."""


def typed(kind: str) -> list[Command]:
    return [
        command
        for block in blocks(PAGE)
        if block.language == kind
        for command in commands(block.text, console=kind == "console")
    ]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server as the page starts it, on a free port."""
    (start,) = [command for command in typed("sh") if command.words == ("hrm", "serve", "sudoku-6x6")]
    words = [sys.executable, "-m", "hrmlab", *start.words[1:], "--port", "0", "--threads", "1"]
    server = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        assert server.stderr is not None
        found = re.search(r"http://(\S+) answers sudoku-6x6", said := server.stderr.readline())
        assert found, said
        yield found[1]
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)


@pytest.mark.skipif(shutil.which("curl") is None, reason="wants curl")
def test_what_is_asked_is_answered_as_shown(address: str) -> None:
    asked = [command for command in typed("console") if command.words[0] == "curl"]
    assert asked
    for command in asked:
        words = [word.replace("localhost:8000", address) for word in command.words]
        said = subprocess.run([*words, "-s"], capture_output=True, text=True, timeout=60).stdout
        shown, answer = json.loads("\n".join(command.output or ())), json.loads(said)
        assert shown.keys() == answer.keys()
        for name, value in shown.items():
            wanted = pytest.approx(value, abs=VARIES[name]) if name in VARIES else value
            assert answer[name] == wanted, name
