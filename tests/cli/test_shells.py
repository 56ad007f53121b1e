"""Tab in real shells: bash and zsh are typed into, and what appears is read; fish says what it offers."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

LOAD = {
    "bash": 'eval "$(hrm completion bash)"',
    "zsh": 'autoload -Uz compinit && compinit -u -D && eval "$(hrm completion zsh)"',
}
START = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
NOISE = re.compile(r"\x1b(?:\[[0-9;?>=]*[a-zA-Z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>])")
BACK = re.compile(r"[^\x08]\x08")
ENVIRONMENT = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
PATIENCE = 30.0
CASES = [
    ("docto", "doctor "),
    ("data bui", "data build "),
    ("train sudoku-9x9-h", "train sudoku-9x9-hard "),
    ("eval mine/w", "eval mine/wide "),
    ("solve hrm-sudoku-6", "solve hrm-sudoku-6x6 "),
    ("train sudoku-6x6 training.batch", "train sudoku-6x6 training.batch_size="),
    ("train sudoku-6x6 model.block=low", "train sudoku-6x6 model.block=low_rank "),
    ("train sudoku-6x6 --wat", "train sudoku-6x6 --watch "),
    ("export sudoku-6x6 --format on", "export sudoku-6x6 --format onnx "),
]
"""What is typed after `hrm`, and what it becomes, with the space that follows it, or none."""


class Terminal:
    """A shell in a terminal of its own, in a folder of its own."""

    def __init__(self, shell: str, folder: Path) -> None:
        about = {**ENVIRONMENT, "HOME": str(folder), "TERM": "xterm", "PS1": "$ "}
        self.shell, self.text = shell, ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(START[shell][0], START[shell], about)  # ends here
        self.type(f"{LOAD[shell]}; echo rea''dy\n")
        self.expect("ready")

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def expect(self, wanted: str) -> None:
        """Wait until the terminal shows this."""
        end = time.monotonic() + PATIENCE
        shown = ""
        while wanted not in shown:
            assert time.monotonic() < end, f"'{wanted}' did not appear in {self.shell}: {shown!r}"
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.text += os.read(self.terminal, 65536).decode(errors="replace")
            shown = NOISE.sub("", self.text)
            while BACK.search(shown):
                shown = BACK.sub("", shown)

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def a_run_in(folder: Path) -> None:
    (folder / "mine/wide").mkdir(parents=True)
    (folder / "mine/wide/config.json").write_text("{}")


@pytest.fixture(params=sorted(START), scope="module")
def terminal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    if shutil.which(request.param) is None:
        pytest.skip(f"needs {request.param}")
    folder = tmp_path_factory.mktemp(request.param)
    a_run_in(folder)
    opened = Terminal(request.param, folder)
    yield opened
    opened.close()


@pytest.mark.parametrize(("typed", "whole"), CASES)
def test_tab_completes(terminal: Terminal, typed: str, whole: str) -> None:
    terminal.text = ""
    terminal.type(f"hrm {typed}\t")
    terminal.expect(f"hrm {whole}")
    terminal.type("END")
    terminal.expect(f"hrm {whole}END")
    terminal.type("\x15")


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_offers_the_same(tmp_path: Path) -> None:
    a_run_in(tmp_path)
    asked = "".join(f"complete -C 'hrm {typed}'; echo ---; " for typed, _ in CASES)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"hrm completion fish | source; {asked}"],
        cwd=tmp_path,
        env={**ENVIRONMENT, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    offered = [[line.split("\t")[0] for line in block.split("\n") if line] for block in done.stdout.split("---\n")]
    assert offered[:-1] == [[whole.split()[-1]] for _, whole in CASES], done.stderr
