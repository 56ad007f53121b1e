"""The hosts' own commands read what we write for them. None starts a language model; each has a home of its own.

They are looked for on the PATH, and below the folder that HRMLAB_HOSTS names: one that was filled by
`npm install --prefix FOLDER PACKAGE`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import hrmlab
from hrmlab.specialist.hosts import install
from hrmlab.specialist.persona import NAME
from hrmlab.specialist.plugin import FOLDER
from hrmlab.specialist.skills import skills
from hrmlab.specialist.tools import TOOLS

ROOT = Path(__file__).resolve().parent.parent.parent
PLUGIN = ROOT / FOLDER
SKILLS = [skill.name for skill in skills()]
HOSTS = os.environ.get("HRMLAB_HOSTS")
PLACES = [str(Path(HOSTS, below).resolve()) for below in ("node_modules/.bin", "")] if HOSTS else []
PATH = os.pathsep.join([*PLACES, os.environ.get("PATH", os.defpath)])
PACKAGES = {
    "claude": "@anthropic-ai/claude-code",
    "codex": "@openai/codex",
    "gemini": "@google/gemini-cli",
    "opencode": "opencode-ai",
    "mcp-inspector": "@modelcontextprotocol/inspector",
}


def needs(command: str) -> pytest.MarkDecorator:
    reason = f"needs `{command}` on the PATH or below HRMLAB_HOSTS: npm install --prefix FOLDER {PACKAGES[command]}"
    return pytest.mark.skipif(shutil.which(command, path=PATH) is None, reason=reason)


@dataclass(frozen=True)
class Place:
    """A home and a project, both empty, and `hrm` on the PATH."""

    home: Path
    project: Path
    programs: Path

    def run(self, *words: str | Path, says: str = "") -> str:
        """What a command prints on both outputs; it must end well."""
        env = {
            "PATH": os.pathsep.join([str(self.programs), PATH]),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "DISABLE_AUTOUPDATER": "1",
        }
        done = subprocess.run(
            [shutil.which(str(words[0]), path=env["PATH"]) or words[0], *map(str, words[1:])],
            cwd=self.project, env=env, input=says, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        told = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
        assert done.returncode == 0, told
        return told

    @property
    def roots(self) -> list[str]:
        """Where servers were started, and with which words."""
        return (self.programs / "started").read_text().splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(*(tmp_path / name for name in ("home", "project", "programs")))
    for folder in (made.home, made.project, made.programs):
        folder.mkdir()
    start = f"PYTHONPATH='{Path(hrmlab.__path__[0]).parent}' OMP_NUM_THREADS=1 exec '{sys.executable}' -m hrmlab"
    program = made.programs / "hrm"
    program.write_text(f'#!/bin/sh\necho "$PWD: $*" >> \'{made.programs}/started\'\n{start} "$@"\n')
    program.chmod(0o755)
    return made


def connected(told: str) -> bool:
    """Whether a list of servers says so of ours, once."""
    (line,) = (line for line in told.splitlines() if re.search(r"\bhrm\b.*\bconnected\b", line, re.IGNORECASE))
    return "not connected" not in line.lower()


@needs("claude")
def test_claude_takes_the_plugin(place: Place) -> None:
    for what in (PLUGIN, ROOT):
        assert "Validation passed" in place.run("claude", "plugin", "validate", what, "--strict")
    place.run("claude", "plugin", "marketplace", "add", ROOT)
    place.run("claude", "plugin", "install", "hrm-lab@hrm-lab")
    told = place.run("claude", "plugin", "details", "hrm-lab@hrm-lab")
    assert f"Skills ({len(SKILLS)})  {', '.join(SKILLS)}" in told
    assert f"Agents (1)  {NAME}" in told and "MCP servers (1)  hrm" in told
    assert connected(place.run("claude", "mcp", "list"))
    assert place.roots == [f"{place.project}: mcp"]


@needs("claude")
def test_claude_starts_the_server_of_a_project_that_its_user_approved(place: Place) -> None:
    install("claude", place.project)
    assert "Validation passed" in place.run("claude", "plugin", "validate", place.project / ".claude", "--strict")
    assert "Pending approval" in place.run("claude", "mcp", "list")
    approved = {"hasTrustDialogAccepted": True, "enabledMcpjsonServers": ["hrm"]}
    (place.home / ".claude.json").write_text(json.dumps({"projects": {str(place.project): approved}}))
    assert connected(place.run("claude", "mcp", "list"))


@needs("codex")
def test_codex_takes_the_plugin(place: Place) -> None:
    place.run("codex", "plugin", "marketplace", "add", ROOT)
    place.run("codex", "plugin", "add", "hrm-lab@hrm-lab")
    assert re.search(r"^hrm +hrm +mcp .* enabled", place.run("codex", "mcp", "list"), re.MULTILINE)
    told = place.run("codex", "debug", "prompt-input", "hello")
    assert all(f"hrm-lab:{skill}: " in told for skill in SKILLS)


@needs("codex")
def test_codex_takes_what_is_installed_before_the_plugin(place: Place) -> None:
    install("codex", place.project)
    place.run("codex", "plugin", "marketplace", "add", ROOT)
    place.run("codex", "plugin", "add", "hrm-lab@hrm-lab")
    settings = place.home / ".codex" / "config.toml"
    settings.write_text(f'{settings.read_text()}\n[projects."{place.project}"]\ntrust_level = "trusted"\n')
    told = place.run("codex", "mcp", "list")
    assert re.search(rf"^hrm .* -m hrmlab mcp --root {place.project} .* enabled", told, re.MULTILINE)
    assert f"{NAME}: " in place.run("codex", "debug", "prompt-input", "hello")


@needs("gemini")
def test_gemini_takes_the_plugin(place: Place) -> None:
    assert "successfully validated" in place.run("gemini", "extensions", "validate", PLUGIN)
    place.run("gemini", "extensions", "install", PLUGIN, "--consent", says="y\n")
    told = place.run("gemini", "extensions", "list")
    assert "Error loading" not in told and all(f"  {skill}: " in told for skill in SKILLS)
    assert connected(place.run("gemini", "mcp", "list"))
    assert place.roots[-1] == f"{place.project}: mcp --root {place.project}"


@needs("gemini")
def test_gemini_takes_what_is_installed(place: Place) -> None:
    install("gemini", place.project)
    assert connected(place.run("gemini", "mcp", "list"))
    assert "Agent loading error" not in place.run("gemini", "skills", "list")


@needs("opencode")
def test_opencode_takes_what_is_installed(place: Place) -> None:
    install("opencode", place.project)
    assert connected(place.run("opencode", "mcp", "list"))
    assert f"{NAME} (subagent)" in place.run("opencode", "agent", "list")


@needs("mcp-inspector")
def test_the_inspector_calls_a_tool(place: Place) -> None:
    server = ("mcp-inspector", "--cli", "hrm", "mcp", "--root", place.project)
    listed = json.loads(place.run(*server, "--method", "tools/list"))
    assert [tool["name"] for tool in listed["tools"]] == [tool.name for tool in TOOLS]
    words = ("--method", "tools/call", "--tool-name", "hrm_inspect", "--tool-arg", "target=sudoku-4x4")
    assert json.loads(place.run(*server, *words))["structuredContent"]["name"] == "sudoku-4x4"
