"""`new`: a part of the user's own, as a file that works and a test of it."""

import re
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

from hrmlab.checks import FAMILIES
from hrmlab.errors import ConfigError, unknown
from hrmlab.results import Scaffold

TEMPLATES = Path(__file__).parent.parent / "templates"
"""Working parts named `my_KIND`, and their tests, as text."""


def new(kind: str, name: str, out: str | Path = ".") -> Scaffold:
    """Write `NAME.py` and `test_NAME.py`, which work as they are, to be changed.

    Args:
        kind: "block", "attention", "halting", "embedding" or "task".
        name: of the part and its module.
        out: the folder; made where it is missing.

    Raises:
        ConfigError: an unknown kind, a name that cannot be one, or files that are there already.
    """
    if kind not in FAMILIES:
        raise ConfigError(unknown("kind", kind, FAMILIES))
    folder, part = Path(out), (TEMPLATES / f"{kind}.py.txt").read_text(encoding="utf-8")
    test = (TEMPLATES / f"test_{kind}.py.txt").read_text(encoding="utf-8")
    files = {folder / f"{name}.py": part, folder / f"test_{name}.py": test}
    _check_name(kind, name, part + test)
    if taken := [str(path) for path in files if path.exists()]:
        raise ConfigError(f"{taken[0]} is there already and is left as it is; choose another name or --out FOLDER")
    _check_module(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(text.replace(f"my_{kind}", name).replace(f"My{kind.title()}", _camel(name)))
    except OSError as error:
        raise ConfigError(f"cannot write into {folder}: {error.strerror}; choose another --out") from None
    go = "" if folder.resolve() == Path.cwd() else f"cd {folder}; "
    steps = [f"{go}hrm check {name} --kind {kind} --import {name}", f"{go}python -m pytest test_{name}.py"]
    return Scaffold(kind, name, [str(path) for path in files], steps)


def _check_name(kind: str, name: str, template: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or iskeyword(name) or name.startswith("test_"):
        raise ConfigError(f"'{name}' cannot name a module; wanted small letters, digits and _, e.g. my_{kind}")
    if name in FAMILIES[kind].names():
        raise ConfigError(f"{kind} '{name}' exists already (`hrm catalog {kind}`); choose another name")
    if re.search(rf"\b{_camel(name)}(Module)?\b", template):
        raise ConfigError(f"a class {_camel(name)} exists already where '{name}' would stand; choose another name")


def _check_module(name: str) -> None:
    """A file of a package's name would be imported in its place."""
    try:
        found = find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is not None:
        where = found.origin or "a folder"
        raise ConfigError(f"'{name}' is the name of a module already ({where}); choose another name")


def _camel(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))
