"""The specialist as a plugin: one folder that is one to Claude Code, to clients of Agent Plugins 1.0 and to Gemini.

Made of the persona, the table of tools and the skills; what is kept in the repository is what is made here.
"""

from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hrmlab.specialist import merging
from hrmlab.specialist.manual import manual
from hrmlab.specialist.persona import DESCRIPTION, NAME, SERVER, definition
from hrmlab.specialist.skills import Skill, skills
from hrmlab.specialist.tools import TOOLS

PLUGIN = "hrm-lab"
FOLDER = f"plugin/{PLUGIN}"
PREFIX = f"mcp__plugin_{PLUGIN}_{SERVER}__"
"""What Claude Code puts before the names of a plugin's tools."""
SUMMARY = (
    "Change, examine and prove Hierarchical Reasoning Models: an expert agent, its measuring tools and four skills."
)
SCHEMAS = "https://agent-plugins.org/schemas/1.0.0"
WORDS = ["mcp"]
"""After `hrm`: the server's command."""
ADDED = f"add it as plugin/{PLUGIN}/README.md says, e.g. `claude plugin marketplace add FOLDER`"
"""What is next when it was written."""


def marketplace(root: Path) -> dict[Path, str]:
    """By path below root: the plugin, and the files that offer it, with what others offer there.

    Raises:
        DataError: such a file is there, and cannot be added to.
    """
    claude, codex = (root / folder / "marketplace.json" for folder in (".claude-plugin", ".agents/plugins"))
    return {
        claude: merging.with_listed(
            claude,
            {"name": PLUGIN, "description": SUMMARY, "owner": {"name": PLUGIN}},
            "plugins",
            {"name": PLUGIN, "source": f"./{FOLDER}", "description": SUMMARY, "category": "development"},
        ),
        codex: merging.with_listed(
            codex,
            {"name": PLUGIN, "interface": {"displayName": PLUGIN}},
            "plugins",
            {
                "name": PLUGIN,
                "source": {"source": "local", "path": f"./{FOLDER}"},
                "policy": {"installation": "AVAILABLE", "authentication": "ON_USE"},
                "category": "Developer Tools",
            },
        ),
        **{root / FOLDER / path: text for path, text in contents().items()},
    }


@cache
def contents() -> dict[str, str]:
    """By path inside the plugin's folder, every file of it."""
    about = {"name": PLUGIN, "version": version("hrm-lab"), "description": SUMMARY}
    more = {"author": {"name": PLUGIN}, "license": "Apache-2.0", "keywords": ["hierarchical-reasoning-model", "mcp"]}
    command = {"command": "hrm", "args": WORDS}
    portable = {"type": "stdio", **command}
    gemini = {"command": "hrm", "args": [*WORDS, "--root", "${workspacePath}"], "timeout": 60_000}
    agent = definition({"name": NAME, "description": DESCRIPTION})
    return {
        ".claude-plugin/plugin.json": merging.written({**about, **more}),
        ".mcp.json": _servers(command),
        "plugin.json": merging.written({"$schema": f"{SCHEMAS}/plugin.schema.json", **about, **more}),
        "mcp.json": _servers(portable, {"$schema": f"{SCHEMAS}/mcp.schema.json"}),
        "gemini-extension.json": _servers(gemini, about),
        f"agents/{NAME}.md": agent,
        **{f"skills/{skill.name}/SKILL.md": _page(skill) for skill in skills()},
        "README.md": manual(PLUGIN, SUMMARY),
    }


def _servers(entry: dict[str, Any], above: dict[str, Any] | None = None) -> str:
    return merging.written({**(above or {}), "mcpServers": {SERVER: entry}})


def _page(skill: Skill) -> str:
    """A skill; what only reads need not be asked for while it is used."""
    allowed = " ".join(PREFIX + tool.name for tool in TOOLS if tool.kind == "reads")
    return definition({"name": skill.name, "description": skill.description, "allowed-tools": allowed}, skill.text)
