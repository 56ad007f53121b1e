"""requirements.lock, taken apart, and the tools that read and write it."""

import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Entry:
    """One locked package: what asks for it, its requirement, and the hashes of its files."""

    groups: frozenset[str]
    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        return str(self.requirement.specifier).removeprefix("==")


@cache
def entries() -> tuple[Entry, ...]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return tuple(_entry(block) for block in text.split("# for: ")[1:])


def _entry(block: str) -> Entry:
    groups, _, rest = block.partition("\n")
    words = re.split(r" ?\\\n    --hash=sha256:", rest.strip())
    return Entry(frozenset(groups.split()), Requirement(words[0]), tuple(words[1:]))


@cache
def tool(name: str) -> ModuleType:
    """A script of `tools/`, as a module."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / f"tools/{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
