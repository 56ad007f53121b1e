"""The plugin in the repository is the one that is generated, in the forms that its hosts allow."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from hrmlab import api
from hrmlab.api.study_sources import find_study
from hrmlab.api.targets import find_config
from hrmlab.cli.arguments import parse
from hrmlab.cli.entry import _verb
from hrmlab.cli.verbs import VERBS
from hrmlab.errors import DataError
from hrmlab.specialist.hosts import install
from hrmlab.specialist.manual import MAY
from hrmlab.specialist.persona import NAME, own, read
from hrmlab.specialist.plugin import FOLDER, PREFIX, contents
from hrmlab.specialist.skills import Skill, skills
from hrmlab.specialist.tools import TOOLS
from hrmlab.training.overrides import override_run

ROOT = Path(__file__).resolve().parent.parent.parent
MARKETPLACES = (".claude-plugin/marketplace.json", ".agents/plugins/marketplace.json")
NAMES = {tool.name for tool in TOOLS}
every_skill = pytest.mark.parametrize("skill", skills(), ids=lambda skill: skill.name)

ABOUT = {"name", "version", "description"}
KEYS = {
    ".claude-plugin/plugin.json": ABOUT | {"author", "license", "keywords"},
    "plugin.json": ABOUT | {"$schema", "author", "license", "keywords"},
    ".mcp.json": {"mcpServers"},
    "mcp.json": {"$schema", "mcpServers"},
    "gemini-extension.json": ABOUT | {"mcpServers"},
}
SERVERS = {
    ".mcp.json": {"command", "args"},
    "mcp.json": {"type", "command", "args"},
    "gemini-extension.json": {"command", "args", "timeout"},
}


def below(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def front(text: str) -> dict[str, Any]:
    """Settings as strict YAML has them."""
    opened, settings, _ = re.split(r"^---$", text, maxsplit=2, flags=re.MULTILINE)
    found: dict[str, Any] = yaml.safe_load(settings)
    assert opened == "" and all(isinstance(value, str) for value in found.values())
    return found


def test_what_is_in_the_repository_is_what_is_generated(tmp_path: Path) -> None:
    """If this fails: `hrm specialist install plugin --out .` at the root, and delete what is no longer made."""
    install("plugin", tmp_path)
    assert below(ROOT / FOLDER) == below(tmp_path / FOLDER)
    for file in MARKETPLACES:
        assert (ROOT / file).read_text() == (tmp_path / file).read_text()
    assert {path.name for path in (ROOT / "plugin").iterdir()} == {Path(FOLDER).name}


def test_others_in_a_marketplace_stay(tmp_path: Path) -> None:
    file = tmp_path / MARKETPLACES[0]
    file.parent.mkdir()
    file.write_text(json.dumps({"name": "mine", "owner": {"name": "me"}, "plugins": [{"name": "x", "source": "./x"}]}))
    install("plugin", tmp_path)
    install("plugin", tmp_path)
    found = json.loads(file.read_text())
    assert found["name"] == "mine" and [entry["name"] for entry in found["plugins"]] == ["x", "hrm-lab"]
    file.write_text('{"plugins": 3}')
    with pytest.raises(DataError, match="holds no list at 'plugins'"):
        install("plugin", tmp_path)


@pytest.mark.parametrize("file", KEYS)
def test_json_has_the_keys_of_its_format(file: str) -> None:
    data = json.loads(contents()[file])
    assert set(data) == KEYS[file]
    if file in SERVERS:
        assert set(data["mcpServers"]) == {"hrm"}
        entry = data["mcpServers"]["hrm"]
        assert set(entry) == SERVERS[file] and [entry["command"], *entry["args"]][:2] == ["hrm", "mcp"]
    else:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", data["name"]) and set(data["author"]) == {"name"}


def test_marketplaces_point_at_the_plugin() -> None:
    claude, codex = (json.loads((ROOT / file).read_text()) for file in MARKETPLACES)
    assert set(claude) == {"name", "description", "owner", "plugins"} and set(codex) == {"name", "interface", "plugins"}
    assert set(claude["plugins"][0]) == {"name", "source", "description", "category"}
    assert set(codex["plugins"][0]) == {"name", "source", "policy", "category"}
    for place in (claude["plugins"][0]["source"], codex["plugins"][0]["source"]["path"]):
        assert place.startswith("./") and (ROOT / place / "plugin.json").is_file()


def test_the_agent_is_the_persona_and_takes_settings_that_all_its_readers_know() -> None:
    """No list of tools: its readers name tools differently, and Gemini drops agents with names of others."""
    page = contents()[f"agents/{NAME}.md"]
    assert set(front(page)) == {"name", "description"} and front(page)["name"] == NAME
    assert read(page).text == own().text


@every_skill
def test_a_skill_has_strict_settings_and_allows_what_only_reads(skill: Skill) -> None:
    settings = front(contents()[f"skills/{skill.name}/SKILL.md"])
    source = front((ROOT / "src/hrmlab/specialist/skills" / f"{skill.name}.md").read_text())
    assert source == {"name": skill.name, "description": skill.description} == {key: settings[key] for key in source}
    assert 100 < len(settings["description"]) <= 1024
    allowed = settings["allowed-tools"].split()
    assert all(name.startswith(PREFIX) and len(name) <= 64 for name in allowed)
    assert {name.removeprefix(PREFIX) for name in allowed} == {tool.name for tool in TOOLS if tool.kind == "reads"}
    assert set(settings) == {"name", "description", "allowed-tools"} and len(skill.text) < 4000


@every_skill
def test_a_skill_names_tools_and_verbs_that_exist(skill: Skill) -> None:
    named = set(re.findall(r"\bhrm_\w+", skill.text))
    assert len(named) >= 3 and named <= NAMES
    lines = re.search(r"```sh\n(.*?)```", skill.text, re.DOTALL)
    assert lines is not None
    for line in lines[1].splitlines():
        program, *words = shlex.split(line)
        assert program == "hrm"
        parse(*_verb(words))
    assert set(re.findall(r"`hrm (\w+)", skill.text)) <= {verb.name.split()[0] for verb in VERBS}


@every_skill
def test_a_skill_names_changes_probes_and_studies_that_exist(skill: Skill) -> None:
    config = find_config("hrm-sudoku-6x6")
    for change in re.findall(r"[` ]((?:model|halting|training|evaluation)[\w.]*=[\w.-]+)", skill.text):
        extra = ["model.schedule.grad_window=6"] if "segments_per_step" in change else []
        override_run(config, [change, *extra])
    probes = {item.name for item in api.catalog("probe").items}
    assert set(re.findall(r'"(\w+)"', " ".join(re.findall(r"probes=\[(.*?)\]", skill.text)))) <= probes
    assert set(re.findall(r"--only (\w+)", skill.text)) <= probes
    studies = {item.name for item in api.catalog("study").items}
    assert set(re.findall(r"hrm ablate ([\w-]+) ", skill.text)) <= studies


def test_the_example_study_of_the_ablation_is_one(tmp_path: Path) -> None:
    (page,) = (skill.text for skill in skills() if skill.name == "hrm-ablation")
    example = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert example is not None
    (tmp_path / "mine.json").write_text(example[1])
    assert len(find_study(str(tmp_path / "mine.json")).seeds) == 6


def test_the_readme_names_every_tool_and_skill() -> None:
    text = contents()["README.md"]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]{10,}) \| ([^|]+) \|$", text, re.MULTILINE)
    assert [(name, may) for name, _, may in rows] == [(tool.name, MAY[tool.kind]) for tool in TOOLS]
    assert all(f"`{skill.name}`" in text for skill in skills()) and "have `hrm` on the PATH" in text
