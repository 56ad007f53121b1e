"""The specialist in coding agents: for each of them a definition of the agent and the server of its tools."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrmlab.core.weights import write_atomically
from hrmlab.errors import ConfigError, DataError, unknown
from hrmlab.results.base import Result
from hrmlab.specialist.persona import own

NAME, SERVER = "hrm-architecture-specialist", "hrm"
DESCRIPTION = (
    "Use this agent to change, extend or optimise a Hierarchical Reasoning Model: its levels, blocks and attention, "
    "its adaptive computation time, its memory and speed; or to find out why gradients do not flow or why it does not "
    "learn. It measures before it speaks, and proves what it proposes."
)


@dataclass(frozen=True)
class Installed(Result):
    """What was written for a coding agent. kept: files that were there and were added to."""

    host: str
    files: list[str]
    kept: list[str] = field(default_factory=list)


def install(host: str, project: str | Path) -> Installed:
    """Write the agent's definition and the server's entry into a project; what others wrote there stays.

    Args:
        host: of `HOSTS`.
        project: the folder that the coding agent is started in.

    Raises:
        ConfigError: an unknown host. DataError: a file there cannot be read as what it should be, or written.
    """
    if host not in HOSTS:
        raise ConfigError(unknown("host", host, HOSTS))
    root = Path(project)
    if not root.is_dir():
        raise DataError(f"{root} is no folder; give the project's with --out")
    words = [sys.executable, "-m", "hrmlab", "mcp", "--root", str(root.resolve())]
    made = HOSTS[host](root, words)
    kept = [str(path) for path in made if path.exists()]
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    return Installed(host, [str(path) for path in made], kept)


def _claude(root: Path, words: list[str]) -> dict[Path, str]:
    entry = {"command": words[0], "args": words[1:]}
    return {
        root / ".mcp.json": _merged(root / ".mcp.json", "mcpServers", entry),
        root / ".claude" / "agents" / f"{NAME}.md": _markdown({"name": NAME, "description": DESCRIPTION}),
    }


def _gemini(root: Path, words: list[str]) -> dict[Path, str]:
    settings = root / ".gemini" / "settings.json"
    return {
        settings: _merged(settings, "mcpServers", {"command": words[0], "args": words[1:], "timeout": 60_000}),
        root / ".gemini" / "agents" / f"{NAME}.md": _markdown({"name": NAME, "description": DESCRIPTION}),
    }


def _opencode(root: Path, words: list[str]) -> dict[Path, str]:
    settings = root / "opencode.json"
    return {
        settings: _merged(settings, "mcp", {"type": "local", "command": words, "enabled": True}),
        root / ".opencode" / "agents" / f"{NAME}.md": _markdown({"description": DESCRIPTION, "mode": "subagent"}),
    }


def _vscode(root: Path, words: list[str]) -> dict[Path, str]:
    servers = root / ".vscode" / "mcp.json"
    return {
        servers: _merged(servers, "servers", {"type": "stdio", "command": words[0], "args": words[1:]}),
        root / ".github" / "agents" / f"{NAME}.agent.md": _markdown({"name": NAME, "description": DESCRIPTION}),
    }


def _codex(root: Path, words: list[str]) -> dict[Path, str]:
    settings = root / ".codex" / "config.toml"
    agent = {"name": NAME, "description": DESCRIPTION, "developer_instructions": own().text}
    return {
        settings: _toml_with(settings, words),
        root / ".codex" / "agents" / f"{NAME}.toml": "".join(f"{k} = {_toml(v)}\n" for k, v in agent.items()),
    }


HOSTS: dict[str, Callable[[Path, list[str]], dict[Path, str]]] = {
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "opencode": _opencode,
    "vscode": _vscode,
}
"""By name, what is written into a project: by path, the text."""


def _merged(file: Path, key: str, entry: dict[str, Any]) -> str:
    """A JSON file with our entry below a key, everything else as it was."""
    data: Any = {}
    if file.is_file():
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{file} is no JSON ({error}); mend it, then install again") from None
    if not isinstance(data, dict) or not isinstance(data.setdefault(key, {}), dict):
        raise DataError(f"{file} holds no object with '{key}'; mend it, then install again")
    data[key][SERVER] = entry
    return json.dumps(data, indent=2) + "\n"


def _toml_with(file: Path, words: list[str]) -> str:
    """A TOML file with our table at its end, everything else as it was."""
    import tomllib

    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    try:
        known = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file} is no TOML ({error}); mend it, then install again") from None
    if SERVER in known.get("mcp_servers", {}):
        return text
    gap = "\n" if text and not text.endswith("\n\n") else ""
    table = (
        f"[mcp_servers.{SERVER}]\ncommand = {_toml(words[0])}\nargs = {json.dumps(words[1:])}\ntool_timeout_sec = 60\n"
    )
    return text + gap + table


def _toml(text: str) -> str:
    """A TOML string; JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _markdown(front: dict[str, str]) -> str:
    """The persona under settings that are valid YAML whatever is in them."""
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in front.items()]
    return "\n".join(["---", *lines, "---", "", own().text, ""])
