"""Checkpoints of the reference: taken whole or refused in words, and written back bit for bit."""

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from safetensors.torch import load_file
from torch import Tensor

from hrmlab import api
from hrmlab.api.targets import find_run
from hrmlab.core.carry import Batch
from hrmlab.errors import CheckpointError, ConfigError
from hrmlab.interop import checkpoint
from hrmlab.interop.names import bare

DropIn = Callable[..., Any]
PREFIXES = ("_orig_mod.model.", "model.", "", "module.model.", "_orig_mod.module.model.")


def state_of(folder: Path) -> dict[str, Tensor]:
    file = next(path for path in folder.iterdir() if path.suffix != ".yaml")
    found = load_file(file) if file.suffix == ".safetensors" else torch.load(file, weights_only=True)
    return {short: found[name] for short, name in bare(found).items()}


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("name", ["step_30", "model.safetensors", "weights.pt"])
def test_whatever_stands_before_the_names(saved: Callable[..., Path], prefix: str, name: str) -> None:
    folder = saved(prefix=prefix, name=name)
    answer = api.import_checkpoint(folder, out="run")
    assert set(answer.keys) == {prefix + f"inner.{key}" for key in state_of(folder)}
    api.export("run", out="back")
    back, want = state_of(Path("back")), state_of(folder)
    assert back.keys() == want.keys() and all(torch.equal(back[key], want[key]) for key in want)


@pytest.mark.parametrize(
    ("family", "shape"),
    [
        ("hrm", {}),
        ("hrm", {"puzzle_emb_ndim": 0}),
        ("hrm", {"puzzle_emb_ndim": 40, "pos_encodings": "learned", "H_layers": 2}),
        ("hrm", {"halt_max_steps": 1, "pos_encodings": "none"}),
        ("trm", {}),
        ("trm", {"puzzle_emb_len": 0}),
        ("trm", {"puzzle_emb_ndim": 0, "puzzle_emb_len": 0}),
        ("trm", {"mlp_t": True, "pos_encodings": "none", "L_layers": 2}),
    ],
)
def test_there_and_back_bit_for_bit(
    saved: Callable[..., Path], drop_in: DropIn, family: str, shape: dict[str, Any]
) -> None:
    """The weights, their names on disk, the model's configuration, and what the model computes."""
    folder = saved(family, **shape)
    answer = api.import_checkpoint(folder, out="run")
    exported = api.export("run", out="back", format="reference")
    file = next(path for path in Path("back").iterdir() if path.name.startswith("step_"))
    back, want = torch.load(file, weights_only=True), torch.load(folder / "step_30", weights_only=True)
    assert list(exported.keys) == sorted(back) == sorted(want) == sorted(answer.keys)
    assert all(torch.equal(back[key], want[key]) and back[key].dtype == want[key].dtype for key in want)
    ours, theirs = (OmegaConf.load(path / "all_config.yaml")["arch"] for path in (Path("back"), folder))
    for key in theirs.keys() - {"forward_dtype"}:
        assert ours[key] == theirs[key], key
    again = api.import_checkpoint("back", out="again")
    assert again.keys == answer.keys and again.parameters == answer.parameters

    model, zeros = find_run("run").load(torch.device("cpu")), torch.zeros(3, dtype=torch.int64)
    inputs = torch.randint(0, 6, (3, 16))
    batch = {"inputs": inputs, "labels": torch.zeros_like(inputs), "puzzle_identifiers": zeros}
    reference = drop_in(family, **shape)
    reference.load_state_dict({key.removeprefix("_orig_mod.model."): value for key, value in want.items()})
    logits = reference.eval()(carry=reference.initial_carry(batch), batch=batch)[1]["logits"]
    rows = Batch(*batch.values())
    assert torch.equal(model(model.empty_carry(rows).states, rows).logits, logits)


def test_an_imported_run_is_a_run(saved: Callable[..., Path], four: Path) -> None:
    folder = saved()
    api.import_checkpoint(folder, out="run")
    config = find_run("run").config
    assert config.data.path == str(four) and config.evaluation.kind == "fixed"
    evaluation = api.evaluate("run", quiet=True)
    assert evaluation.n == 10 and evaluation.mean_segments == 3
    assert json.loads(Path("run/provenance.json").read_text())["imported"] == str(folder / "step_30")
    with pytest.raises(CheckpointError, match="is not empty"):
        api.import_checkpoint(folder, out="run")


def test_the_newest_step_is_taken_and_a_file_can_be_named(saved: Callable[..., Path]) -> None:
    folder = saved(name="step_9")
    (folder / "step_10").write_bytes((saved(name="x.pt", H_cycles=2) / "x.pt").read_bytes())
    assert checkpoint.locate(folder).weights.name == "step_10"
    assert api.import_checkpoint(folder / "step_9", out="nine").keys
    (folder / "step_10").rename(folder / "other")
    (folder / "step_9").rename(folder / "another")
    with pytest.raises(CheckpointError, match="another, other might be the weights"):
        api.import_checkpoint(folder)


def test_without_configuration_it_is_said_on_the_command_line(saved: Callable[..., Path], four: Path) -> None:
    folder = saved("trm", config=False)
    with pytest.raises(ConfigError, match=r"no all_config.yaml.*arch=hrm_v1 or arch=trm"):
        api.import_checkpoint(folder)
    words = [
        "arch=trm", "arch.H_cycles=2", "arch.L_cycles=2", "arch.L_layers=1", "arch.hidden_size=16", "arch.expansion=2",
        "arch.num_heads=2", "arch.puzzle_emb_len=2",
    ]  # fmt: skip
    assert api.import_checkpoint(folder, words, data=four, out="run").parameters > 0


@pytest.mark.parametrize("family", ["hrm", "trm"])
def test_the_data_set_can_be_named(saved: Callable[..., Path], four: Path, family: str) -> None:
    folder = saved(family, data="data/sudoku-elsewhere")
    with pytest.raises(CheckpointError, match=r"vocab_size=6.*has 11.*--data DIR"):
        api.import_checkpoint(folder)
    api.import_checkpoint(folder, data=four, out="run")
    assert find_run("run").config.data.path == str(four)


def refused(folder: Path, *parts: str) -> None:
    with pytest.raises(CheckpointError) as raised:
        api.import_checkpoint(folder, out="run")
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    for part in parts:
        assert part in message, message
    assert not Path("run").exists()


def test_what_does_not_fit_is_listed(saved: Callable[..., Path]) -> None:
    def spoil(state: dict[str, Tensor]) -> None:
        del state["model.inner.q_head.bias"]
        state["model.inner.urm.conv.weight"] = torch.zeros(1)
        state["model.inner.lm_head.weight"] = torch.zeros(6, 3)

    shape = "lm_head.weight has shape (6, 3), the model wants (6, 16)"
    others = "q_head.bias is missing", "urm.conv.weight is not in the model"
    refused(saved(prefix="model.", edit=spoil), shape, *others)


@pytest.mark.parametrize(
    ("edit", "part"),
    [
        (lambda s: s.pop("model.inner.H_init"), "H_init is missing"),
        (lambda s: s.update({"model.inner.L_init": torch.zeros(3)}), "L_init has shape (3,)"),
        (lambda s: s.update({"inner.H_init": torch.zeros(16)}), "the same weight under two names"),
        (lambda s: s.update({"model.inner.puzzle_emb.weights": torch.zeros(9, 16)}), "num_puzzle_identifiers=9"),
        (lambda s: s.update({"model.inner.H_level.layers.1.mlp.down_proj.weight": torch.zeros(2)}), "H_level.layers.1"),
    ],
)
def test_one_wrong_tensor(saved: Callable[..., Path], edit: Callable[..., object], part: str) -> None:
    refused(saved(prefix="model.", edit=edit), part)


class Code:
    """Runs when unpickled: makes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize("how", ["pickle", "torch", "inside"])
def test_a_pickle_with_code_is_not_opened(saved: Callable[..., Path], how: str) -> None:
    folder = saved()
    payload: Any = {"weight": torch.zeros(1), "more": Code()} if how == "inside" else Code()
    if how == "pickle":
        (folder / "step_30").write_bytes(pickle.dumps(payload))
    else:
        torch.save(payload, folder / "step_30")
    refused(folder, "step_30 holds more than tensors and is not opened")
    assert not Path("ran").exists()


@pytest.mark.parametrize("name", ["step_30", "model.safetensors"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(data=st.data())
def test_damage_on_the_way(saved: Callable[..., Path], tmp_path: Path, name: str, data: st.DataObject) -> None:
    """Cut or altered anywhere: tensors, or an error in one line."""
    source = tmp_path / f"sound-{name}"
    if not source.exists():
        source.write_bytes((saved(name=name, config=False) / name).read_bytes())
    content = bytearray(source.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for place in data.draw(st.lists(st.integers(0, min(2000, len(content) - 1)), min_size=1, max_size=5)):
            content[place] ^= data.draw(st.integers(1, 255))
    damaged = tmp_path / f"damaged-{name}"
    damaged.write_bytes(bytes(content))
    try:
        found = checkpoint.read(damaged)
    except CheckpointError as error:
        assert len(str(error).splitlines()) == 1 and str(damaged) in str(error)
    else:
        assert found and all(isinstance(tensor, Tensor) for tensor in found.values())


@pytest.mark.parametrize("content", [b"", b"text", b"\x80\x04N.", b"PK\x03\x04", pickle.dumps([1, 2])])
def test_files_that_are_something_else(saved: Callable[..., Path], content: bytes) -> None:
    folder = saved()
    (folder / "step_30").write_bytes(content)
    refused(folder, "step_30")
    stream = io.BytesIO()
    torch.save({}, stream)
    (folder / "step_30").write_bytes(stream.getvalue())
    refused(folder, "no state dict")


class Hub:
    """Stands in for the Hub's client."""

    def __init__(self, found: Path | Exception) -> None:
        self.found, self.asked = found, []

    def __call__(self, repo_id: str) -> str:
        self.asked.append(repo_id)
        if isinstance(self.found, Exception):
            raise self.found
        return str(self.found)


def test_a_name_on_the_hub(saved: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(saved())
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)
    answer = api.import_checkpoint("sapientinc/some-checkpoint")
    assert hub.asked == ["sapientinc/some-checkpoint"]
    assert answer.path == "runs/some-checkpoint-imported" and find_run(answer.path).weights.is_file()


def test_without_a_net_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "huggingface_hub.snapshot_download", Hub(ConnectionError("Name resolution failed\nmore\nlines"))
    )
    refused(Path("sapientinc/some-checkpoint"), "Name resolution failed", "download it by hand")


def test_without_the_client_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install 'hrm-lab\[hub\]'"):
        api.import_checkpoint("owner/name")


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "./x", "../x", "/no/such", "a/"])
def test_what_is_no_name_is_not_looked_for_on_the_hub(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    hub = Hub(ConnectionError("asked"))
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        api.import_checkpoint(name)
    assert hub.asked == []
