"""A reader who types a page from top to bottom, in a folder of its own with a home of its own."""

import gc
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docs.listed import ONCE, SMALL, WHY, shortened
from docs.pages import ROOT, Block
from docs.said import differs
from docs.shell import Command, commands

from docs import checked
from hrmlab.cli import main
from hrmlab.registry import Registry

CHECKED = ("serve", "mcp", "ablate", "tune", "verify", "demo", "bench")
"""Verbs that are never run here, for the reason of that name in `WHY`."""
ONE_WAS_RUN: set[str] = set()
"""Verbs that have been run, on any page."""
SHELL = ("cat", "mkdir", "cp", "cd", "ls", "head", "echo", "rm", "printf", "sed")
HOSTS = ("claude", "codex", "gemini")


@dataclass
class Reader:
    """Types blocks. stands_for: what words in capitals stand for; done: what became of each command, for the test."""

    folder: Path
    stands_for: dict[str, str]
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    done: list[tuple[str, str]] = field(default_factory=list)

    def take(self, block: Block) -> None:
        """Do what a block says.

        Raises:
            Exception: whatever it led to; AssertionError where it printed something else.
        """
        kind = block.language
        if kind == "python":
            self.python(block)
        elif kind in ("sh", "console"):
            for command in commands(block.text, console=kind == "console"):
                try:
                    self.type(command)
                except Exception as error:
                    raise AssertionError(f"{command.text}\n    {type(error).__name__}: {error}") from error

    def python(self, block: Block) -> None:
        """Run it, with training as short as that of commands."""
        small = (
            'steps=2, threads=1, quiet=True, overrides=["data.train=40", "data.test=8", "evaluation.max_segments=2"]'
        )
        text = re.sub(r"\bseconds=\d+", small, block.text)
        code = compile("\n" * block.line + text, block.page, "exec", dont_inherit=True)
        with redirect_stdout(io.StringIO()):
            exec(code, self.names)

    def type(self, command: Command) -> None:
        words = list(command.words)
        while words and "=" in words[0] and words[0].partition("=")[0].isupper():
            words.pop(0)  # the environment of the command
        first = words[0] if words else ""
        first = first.removeprefix(".venv/bin/")
        if re.match(r"[A-Z]+=\$\(", command.text):
            self.done.append((command.text, "slurm"))
        elif found := re.match(r'eval "\$\((hrm .+)\)"', command.text):  # what the shell is given
            self.hrm(command, tuple(shlex.split(found[1])[1:]))
        elif first == "hrm":
            self.hrm(command, tuple(self.standing(word) for word in words[1:]))
        elif first in SHELL:
            self.shell(command)
        elif first.startswith("python"):
            self.script(command, words[1:])
        else:
            self.look(command, words)

    def standing(self, word: str) -> str:
        """A word as it is typed: `RUN/vectors` with what RUN stands for."""
        head, slash, rest = word.partition("/")
        return self.stands_for.get(head, head) + slash + rest

    def hrm(self, command: Command, words: tuple[str, ...]) -> None:
        verb, options = checked.read(words)
        if reason := self.unrun(verb.name, options):
            assert not command.output, f"shows what `hrm {verb.name}` prints, and nobody here looks: {WHY[reason]}"
            checked.resolved(verb, options)
            self.done.append((command.text, reason))
            return
        more = shortened(verb.name, options)
        if verb.name == "train" and not options.resume:
            checked.resolved(verb, options)
        code, said = typed([*words, *more, "--threads", "1"])
        if command.output is None:
            assert code == 0, f"exit code {code}: {said[-600:]}"
        else:
            assert "Traceback" not in said
            assert not (problem := differs(command.output, said.splitlines(), numbers=bool(more))), problem
        ONE_WAS_RUN.add(verb.name)
        self.done.append((command.text, "published size" if set(SMALL) <= set(more) else verb.name))

    def unrun(self, verb: str, options: Any) -> str | None:
        """Why a command line is read and not run; None: it is run."""
        if verb in CHECKED:
            return verb
        if getattr(options, "model", None):
            return "language model"
        if getattr(options, "hub", None):
            return "hub"
        if getattr(options, "watch", None) is True:
            return "watch"
        if "training.engine=compiled" in getattr(options, "key=value", []):
            return "compiled"
        if verb in ONCE and verb in ONE_WAS_RUN:
            return "again"
        return None

    def shell(self, command: Command) -> None:
        if command.words[0] == "cd":
            os.chdir(command.words[1])
            return
        found = subprocess.run(["bash", "-ec", command.text], capture_output=True, text=True, timeout=60)
        assert found.returncode == 0, found.stderr
        if command.output is not None:
            assert not (problem := differs(list(command.output), found.stdout.splitlines())), problem
        self.done.append((command.text, "run"))

    def script(self, command: Command, words: list[str]) -> None:
        """A script of ours: examples and tools that read are run, benchmarks and what installs is looked up."""
        if words[0] == "tools/setup.py":
            assert set(words[1:]) <= {*checked.EXTRAS}, f"no extra among {words[1:]}"
            self.done.append((command.text, "tools/setup.py"))
        elif words[:2] == ["-m", "pytest"]:
            checked.folders(tuple(words[2:]))
            self.done.append((command.text, "pytest"))
        elif words[0].startswith("benchmarks/"):
            checked.script(tuple(words))
            self.done.append((command.text, "benchmarks"))
        else:
            checked.script(tuple(words))
            found = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=120)
            assert found.returncode == 0, found.stderr
            self.done.append((command.text, "run"))

    def look(self, command: Command, words: list[str]) -> None:
        """A program of others: its words are read where we know what they mean."""
        text, first = command.text, words[0] if words else "export"
        if first == "make":
            targets = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert all(re.search(rf"^{word}:", targets, re.MULTILINE) for word in words[1:]), "no such target"
            reason = "make"
        elif first == "pip":
            checked.extras(text)
            reason = "pip"
        elif first in ("torchrun", "srun"):
            checked.torchrun(tuple(words[words.index("torchrun") + 1 :]))
            reason = "torchrun"
        elif first in HOSTS:
            reason = "hosts"
        elif first in ("export", "sbatch"):
            reason = "slurm"
        elif words == [".", ".venv/bin/activate"]:
            reason = "tools/setup.py"
        elif first == "curl":
            reason = "serve"
        elif first == "git" and words[1] == "clone":
            reason = "hub"
        else:
            raise AssertionError(f"nobody here knows what `{shlex.join(words)}` does: say so in tests/docs")
        assert reason in WHY
        self.done.append((text, reason))


def typed(words: list[str]) -> tuple[int, str]:
    """A command line, in this process: exit code, and what a terminal would show."""
    screen = io.StringIO()
    with redirect_stdout(screen), redirect_stderr(screen):
        code = main(words)
    return code, screen.getvalue()


@contextmanager
def parts_put_back() -> Iterator[None]:
    """Parts that a page registers are gone at its end: the next page has not seen them."""
    registries = [thing for thing in gc.get_objects() if type(thing) is Registry]
    before = [dict(registry._entries) for registry in registries]
    yield
    for registry, entries in zip(registries, before, strict=True):
        registry._entries = entries
    Registry.registered += 1
