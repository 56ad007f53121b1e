"""Who the specialist is: our own words, and the definitions of others read with patience."""

import json
import re
from dataclasses import dataclass
from importlib.resources import files

from hrmlab.errors import DataError

NAME, SERVER = "hrm-architecture-specialist", "hrm"
DESCRIPTION = (
    "Use this agent to change, extend or optimise a Hierarchical Reasoning Model: its levels, blocks and attention, "
    "its adaptive computation time, its memory and speed; or to find out why gradients do not flow or why it does not "
    "learn. It measures before it speaks, and proves what it proposes."
)


@dataclass(frozen=True)
class Persona:
    """An agent's definition. front: the settings above its text, as far as they could be read."""

    front: dict[str, str]
    text: str

    @property
    def duties(self) -> list[str]:
        """Every point of its lists, numbered or not, as plain text."""
        points = re.findall(
            r"^\s*(?:[-*]|\d+\.)\s+(.*(?:\n(?!\s*(?:[-*]|\d+\.)\s|\s*\n|#).+)*)", self.text, re.MULTILINE
        )
        return [re.sub(r"\s+", " ", point).strip() for point in points]


def own() -> Persona:
    """The specialist's own."""
    return read((files("hrmlab.specialist") / "persona.md").read_text(encoding="utf-8"))


def read(text: str) -> Persona:
    """A definition as coding agents have them: settings between two lines of dashes, then text.

    The settings need not be valid YAML: a value goes on to the next line that looks like `name: value`.

    Raises:
        DataError: there is no text.
    """
    front, body = {}, text
    if match := re.match(r"\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|$)(.*)", text, re.DOTALL):
        body = match[2]
        name = ""
        for line in match[1].splitlines():
            if found := re.match(r"([A-Za-z][\w-]*):[ \t]*(.*)", line):
                name = found[1]
                front[name] = found[2].strip()
            elif name:
                front[name] = f"{front[name]}\n{line.strip()}".strip("|>\n ")
    if not body.strip():
        raise DataError("an agent's definition without text came; wanted settings between two lines of ---, then text")
    return Persona(front, body.strip())


def definition(front: dict[str, str], text: str | None = None) -> str:
    """A text, the persona if left out, under settings that are valid YAML whatever is in them."""
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in front.items()]
    return "\n".join(["---", *lines, "---", "", text or own().text, ""])
