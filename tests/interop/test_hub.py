"""Models by name: `from_pretrained`, runs on the Hugging Face Hub, and uploads. The Hub's client is stood in for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hrmlab import api
from hrmlab.api.targets import find_run
from hrmlab.core.model import HRM
from hrmlab.errors import CheckpointError, ConfigError, MissingExtraError
from hrmlab.interop.names import bare

Saved = Callable[..., Path]


class Client:
    """The parts of `HfApi` that an upload uses; keeps what was uploaded."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses, self.made, self.uploaded = refuses, [], {}

    def create_repo(self, repo_id: str, exist_ok: bool) -> None:
        if self.refuses:
            raise PermissionError("401 Unauthorized\nlog in first")
        self.made.append((repo_id, exist_ok))

    def upload_folder(self, folder_path: Path, repo_id: str) -> str:
        self.uploaded[repo_id] = {path.name: path.read_bytes() for path in Path(folder_path).iterdir()}
        return f"https://hub/{repo_id}/commit/1"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    one = Client()
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: one)
    return one


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The folders of the repositories that can be downloaded."""
    repositories: dict[str, Path] = {}

    def download(repo_id: str) -> str:
        if repo_id not in repositories:
            raise ConnectionError(f"404: {repo_id}\nmore")
        return str(repositories[repo_id])

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    return repositories


@pytest.fixture
def run(saved: Saved) -> Path:
    """An imported run."""
    api.import_checkpoint(saved(), out="run")
    return Path("run")


def same(one: HRM, other: HRM) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_model_by_the_name_of_whatever_holds_it(run: Path, saved: Saved, hub: dict[str, Path]) -> None:
    want = find_run(run).load(torch.device("cpu"))
    api.export(run, format="hub", out="card")
    api.export(run, out="theirs")
    hub |= {"me/ours": Path("card"), "me/theirs": Path("theirs")}
    for source in (run, "card", "card/model.safetensors", "theirs", "me/ours", "me/theirs"):
        model = api.from_pretrained(source)
        assert same(model, want) and not model.training, source
    assert api.from_pretrained("sudoku-4x4").parameter_count() == 10_514


def test_a_model_without_its_configuration(saved: Saved, four: Path) -> None:
    folder = saved(config=False)
    words = ["arch=hrm_v1", "arch.H_layers=1", "arch.L_layers=1", "arch.hidden_size=16", "arch.expansion=2",
             "arch.num_heads=2"]  # fmt: skip
    assert api.from_pretrained(folder, words, data=four).spec.seq_len == 16
    with pytest.raises(ConfigError, match=r"arch=hrm_v1 or arch=trm"):
        api.from_pretrained(folder)


def test_a_run_can_stand_on_the_hub(run: Path, hub: dict[str, Path]) -> None:
    api.export(run, format="hub", out="card")
    hub["me/model"] = Path("card")
    here, there = api.evaluate(run, quiet=True), api.evaluate("me/model", quiet=True)
    assert (there.n, there.cell, there.exact) == (here.n, here.cell, here.exact)


def test_what_stands_on_the_hub_and_is_no_run(saved: Saved, hub: dict[str, Path]) -> None:
    hub["them/checkpoint"] = saved()
    with pytest.raises(CheckpointError, match="type `hrm import them/checkpoint --out RUN` first"):
        find_run("them/checkpoint")
    with pytest.raises(CheckpointError, match=r"no folder them/nothing here.*404: them/nothing"):
        find_run("them/nothing")


def test_a_mistyped_path_is_not_looked_for_on_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(repo_id: str) -> None:
        raise AssertionError(repo_id)

    monkeypatch.setattr("huggingface_hub.snapshot_download", never)
    Path("runs").mkdir()
    for name in ("runs/mine", "./mine", "a/b/c", "mine"):
        with pytest.raises(CheckpointError, match=f"no run at '{name}'"):
            find_run(name)
    monkeypatch.setattr("hrmlab.api.targets.find_spec", lambda name: None)  # the client is not installed
    with pytest.raises(CheckpointError, match="no run at 'owner/name'"):
        find_run("owner/name")


@pytest.mark.parametrize("exported", [False, True])
def test_an_upload_is_what_export_writes(run: Path, client: Client, hub: dict[str, Path], exported: bool) -> None:
    api.export(run, format="hub", out="card")
    assert api.push_to_hub("card" if exported else run, "me/model") == "https://hub/me/model/commit/1"
    assert client.made == [("me/model", True)]
    assert client.uploaded["me/model"] == {path.name: path.read_bytes() for path in Path("card").iterdir()}
    Path("back").mkdir()
    for name, content in client.uploaded["me/model"].items():
        (Path("back") / name).write_bytes(content)
    hub["me/model"] = Path("back")
    assert same(api.from_pretrained("me/model"), find_run(run).load(torch.device("cpu")))


def test_an_upload_that_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: Client(refuses=True))
    with pytest.raises(CheckpointError, match=r"cannot upload .* to me/model \(PermissionError: 401 Unauthorized\)"):
        api.push_to_hub(run, "me/model")
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'hrm-lab\[hub\]'"):
        api.push_to_hub(run, "me/model")


def test_an_arc_checkpoint_needs_no_data_set_to_be_taken(saved: Saved, drop_in: Callable[..., Any]) -> None:
    """How many puzzles it knows stands in its weights; only answering them by name needs the data."""
    folder = saved(data="data/arc-aug-1000", seq_len=900, vocab_size=12, num_puzzle_identifiers=77)
    answer = api.import_checkpoint(folder, out="run")
    assert find_run("run").config.task.identifiers == 77
    assert any("hrm eval RUN --data DIR" in note for note in answer.notes)
    want = torch.load(folder / "step_30", weights_only=True)
    rows = next(want[name] for short, name in bare(want).items() if short == "puzzle_emb.weights")
    assert torch.equal(api.from_pretrained("run").puzzles.rows, rows)
