"""What the README says is there, is there."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from hrmlab.api.extras import EXTRAS
from hrmlab.cli.verbs import VERBS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tree() -> list[Path]:
    """The folders and files of the README's tree, from the repository's root."""
    block = README.split("## Where things are")[1].split("```")[1]
    found, parent = [], Path()
    for line in block.strip().splitlines():
        names = re.findall(r"[\w./]+/(?=\s|$)|docs/\w+\.md", line.split("   ")[0] if line.startswith("  ") else line)
        if not line.startswith(" "):
            parent = Path(names[0]) if names == ["src/hrmlab/"] else Path()
        found += [parent / name if line.startswith(" ") else Path(name) for name in names]
    return found


def test_the_tree_is_read_from_the_readme() -> None:
    assert {Path("src/hrmlab/core"), Path("src/hrmlab/tasks"), Path("tests"), Path("docs/LOG.md")} <= set(tree())


@pytest.mark.parametrize("path", tree(), ids=str)
def test_every_place_in_the_tree_exists(path: Path) -> None:
    assert (ROOT / path).exists()


def test_every_folder_of_the_package_is_in_the_tree() -> None:
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "src/hrmlab").glob("*/__init__.py")}
    assert folders <= set(tree())


def test_every_verb_that_is_typed_exists() -> None:
    typed = set(re.findall(r"^(?:\$ )?hrm ((?:data )?[a-z]+)", README, flags=re.MULTILINE))
    assert typed
    assert typed <= {verb.name for verb in VERBS}


def test_both_commands_and_the_lines_underneath_are_named() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make demo" in README and "make test" in README
    line = "tools/setup.py dev report hub export arc tensorboard text gpu studies slurm mcp"
    assert line in README and line in makefile


def test_the_table_of_extras_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["optional-dependencies"]
    rows = {row[0]: row[1:] for row in re.findall(r"^\| `([a-z]+)` \| (.*) \| (.*) \|$", README, flags=re.MULTILINE)}
    for name, brings in EXTRAS.items():
        packages = ", ".join(line.partition(">")[0].partition("[")[0] for line in asked[name])
        assert rows[name] == (brings, packages)
    assert set(EXTRAS) | {"dev", "supply"} <= set(rows) and set(asked) - set(EXTRAS) <= {"dev", "supply", "docs"}


def test_links_to_files_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "src/hrmlab/shipped").iterdir()))
def test_results_are_those_beside_the_weights(name: str) -> None:
    found = json.loads((ROOT / "src/hrmlab/shipped" / name / "results.json").read_text())
    (row,) = re.findall(rf"^\| `{name}`.*$", README, flags=re.MULTILINE)
    assert f"| {100 * found['exact']:.1f}% of {found['n']:,} (".replace(".0%", "%") in row.replace(".0%", "%"), row
    assert f"| {found['mean_segments']:.1f} |".replace(".0 |", " |") in row.replace(".0 |", " |"), row
