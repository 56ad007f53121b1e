"""What a coding agent reads when it is about to do one of our jobs: a page each."""

from dataclasses import dataclass
from importlib.resources import files

from hrmlab.specialist.persona import read


@dataclass(frozen=True)
class Skill:
    """A page. description: when to read it, 1,024 characters at most."""

    name: str
    description: str
    text: str


def skills() -> list[Skill]:
    """All pages, by name."""
    pages = [page for page in files(__name__).iterdir() if page.name.endswith(".md")]
    return sorted((_skill(page.read_text(encoding="utf-8")) for page in pages), key=lambda skill: skill.name)


def _skill(page: str) -> Skill:
    found = read(page)
    return Skill(found.front["name"], found.front["description"], found.text)
