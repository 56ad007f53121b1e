"""What is written for coding agents is well formed, complete, and leaves what others wrote."""

import json
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from hrmlab.errors import ConfigError, DataError
from hrmlab.specialist.hosts import HOSTS, install
from hrmlab.specialist.persona import NAME, own, read

every_host = pytest.mark.parametrize("host", HOSTS)
every_agent = pytest.mark.parametrize("host", [host for host in HOSTS if host != "plugin"])


def server(project: Path, host: str) -> list[str]:
    """The words that start the server, from the host's own file."""
    if host == "codex":
        entry = tomllib.loads((project / ".codex" / "config.toml").read_text())["mcp_servers"]["hrm"]
    else:
        file, key = {
            "claude": (".mcp.json", "mcpServers"),
            "gemini": (".gemini/settings.json", "mcpServers"),
            "opencode": ("opencode.json", "mcp"),
            "vscode": (".vscode/mcp.json", "servers"),
        }[host]
        entry = json.loads((project / file).read_text())[key]["hrm"]
    return list(entry["command"]) if host == "opencode" else [entry["command"], *entry["args"]]


@every_agent
def test_the_agent_has_our_words_and_the_server_starts_here(host: str, tmp_path: Path) -> None:
    made = install(host, tmp_path)
    assert made.kept == [] and all(Path(file).is_file() for file in made.files)
    assert server(tmp_path, host) == [sys.executable, "-m", "hrmlab", "mcp", "--root", str(tmp_path.resolve())]
    (agent,) = (Path(file) for file in made.files if NAME in file)
    if agent.suffix == ".toml":
        assert tomllib.loads(agent.read_text())["developer_instructions"] == own().text
        return
    text = agent.read_text()
    assert read(text).text == own().text
    front = yaml.safe_load(text.split("---")[1])
    assert 100 < len(front["description"]) <= 1024


@every_host
def test_installing_twice_is_as_once(host: str, tmp_path: Path) -> None:
    first = {file: Path(file).read_text() for file in install(host, tmp_path).files}
    again = install(host, tmp_path)
    assert again.kept == again.files == list(first)
    assert {file: Path(file).read_text() for file in again.files} == first


def test_what_others_wrote_stays(tmp_path: Path) -> None:
    (tmp_path / ".mcp.json").write_text('{"mcpServers": {"other": {"command": "x"}}, "more": 1}')
    install("claude", tmp_path)
    data = json.loads((tmp_path / ".mcp.json").read_text())
    assert data["mcpServers"]["other"] == {"command": "x"} and data["more"] == 1 and "hrm" in data["mcpServers"]
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex" / "config.toml").write_text('# mine\nmodel = "m"\n')
    install("codex", tmp_path)
    text = (tmp_path / ".codex" / "config.toml").read_text()
    assert text.startswith('# mine\nmodel = "m"\n') and tomllib.loads(text)["model"] == "m"


@pytest.mark.parametrize(("host", "file"), [("claude", ".mcp.json"), ("codex", ".codex/config.toml")])
def test_a_file_that_cannot_be_read_is_left_alone(host: str, file: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("{ = ")
    with pytest.raises(DataError, match="mend it, then install again"):
        install(host, tmp_path)
    assert (tmp_path / file).read_text() == "{ = " and not list(tmp_path.rglob(f"{NAME}*"))


def test_unknown_hosts_and_places_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'claude'"):
        install("claud", tmp_path)
    with pytest.raises(DataError, match="is no folder"):
        install("claude", tmp_path / "none")
