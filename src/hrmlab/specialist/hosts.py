"""The specialist in coding agents: for each of them a definition of the agent and the server of its tools."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hrmlab.core.weights import write_atomically
from hrmlab.errors import ConfigError, DataError, unknown
from hrmlab.results.base import Result
from hrmlab.specialist import merging, plugin
from hrmlab.specialist.persona import DESCRIPTION, NAME, SERVER, definition, own

PLUGIN = "plugin"


@dataclass(frozen=True)
class Installed(Result):
    """What was written for a coding agent. kept: files that were there and were added to. next: what to do."""

    host: str
    files: list[str]
    kept: list[str] = field(default_factory=list)
    next: str = ""


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
    start = f"start {host} in that folder, and ask it for the HRM architecture specialist"
    said = plugin.ADDED if host == PLUGIN else start
    return Installed(host, [str(path) for path in made], kept, said)


def _claude(root: Path, words: list[str]) -> dict[Path, str]:
    entry = {"command": words[0], "args": words[1:]}
    return {
        root / ".mcp.json": merging.with_entry(root / ".mcp.json", "mcpServers", SERVER, entry),
        root / ".claude" / "agents" / f"{NAME}.md": definition({"name": NAME, "description": DESCRIPTION}),
    }


def _gemini(root: Path, words: list[str]) -> dict[Path, str]:
    settings = root / ".gemini" / "settings.json"
    entry = {"command": words[0], "args": words[1:], "timeout": 60_000}
    return {
        settings: merging.with_entry(settings, "mcpServers", SERVER, entry),
        root / ".gemini" / "agents" / f"{NAME}.md": definition({"name": NAME, "description": DESCRIPTION}),
    }


def _opencode(root: Path, words: list[str]) -> dict[Path, str]:
    settings = root / "opencode.json"
    entry = {"type": "local", "command": words, "enabled": True}
    return {
        settings: merging.with_entry(settings, "mcp", SERVER, entry),
        root / ".opencode" / "agents" / f"{NAME}.md": definition({"description": DESCRIPTION, "mode": "subagent"}),
    }


def _vscode(root: Path, words: list[str]) -> dict[Path, str]:
    servers = root / ".vscode" / "mcp.json"
    entry = {"type": "stdio", "command": words[0], "args": words[1:]}
    return {
        servers: merging.with_entry(servers, "servers", SERVER, entry),
        root / ".github" / "agents" / f"{NAME}.agent.md": definition({"name": NAME, "description": DESCRIPTION}),
    }


def _codex(root: Path, words: list[str]) -> dict[Path, str]:
    settings = root / ".codex" / "config.toml"
    entry = {"command": words[0], "args": words[1:], "tool_timeout_sec": 60}
    agent = {"name": NAME, "description": DESCRIPTION, "developer_instructions": own().text}
    return {
        settings: merging.with_table(settings, "mcp_servers", SERVER, entry),
        root / ".codex" / "agents" / f"{NAME}.toml": merging.toml(agent),
    }


def _plugin(root: Path, _words: list[str]) -> dict[Path, str]:
    return plugin.marketplace(root)


HOSTS: dict[str, Callable[[Path, list[str]], dict[Path, str]]] = {
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "opencode": _opencode,
    "vscode": _vscode,
    PLUGIN: _plugin,
}
"""By name, what is written into a folder: by path, the text. `plugin` is a marketplace with it, for all projects."""
