"""Whatever is wrong with a file of golden vectors is one line that names the file and what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from hrmlab import api
from hrmlab.errors import DataError
from hrmlab.interop.parity import check

Changed = Callable[..., Path]
SMALL = "trm_attention"


def why(path: Path) -> str:
    with pytest.raises(DataError) as raised:
        check(path)
    message = str(raised.value)
    assert len(message.splitlines()) == 1 and str(path) in message
    return message


def config(**changes: Any) -> Callable[[dict[str, str]], None]:
    def edit(about: dict[str, str]) -> None:
        merged = json.loads(about["config"]) | changes
        about["config"] = json.dumps({key: value for key, value in merged.items() if value is not ...})

    return edit


@pytest.mark.parametrize(
    ("name", "changes", "parts"),
    [
        (SMALL, {"hiden_size": 32}, ["unknown config key 'hiden_size'", "did you mean 'hidden_size'"]),
        (SMALL, {"family": "trm"}, ["unknown config key 'family'"]),
        ("hrm_rope", {"mlp_t": False}, ["unknown config key 'mlp_t'"]),
        (SMALL, {"hidden_size": ...}, ["hidden_size is missing"]),
        (SMALL, {"hidden_size": "wide"}, ["hidden_size='wide'"]),
        (SMALL, {"hidden_size": 30}, ["30", "4 heads"]),
        (SMALL, {"hidden_size": 64}, ["does not fit the model", "inner.lm_head.weight"]),
        (SMALL, {"L_layers": 3}, ["inner.L_level.layers.2.mlp.down_proj.weight is missing"]),
        (SMALL, {"L_layers": 1}, ["inner.L_level.layers.1.mlp.down_proj.weight is not in the model"]),
        (SMALL, {"pos_encodings": "sinus"}, ["'sinus'", "rope, learned, none"]),
        (SMALL, {"num_heads": 0}, ["num_heads=0"]),
        (SMALL, {"halt_max_steps": 0}, ["halt_max_steps=0"]),
        (SMALL, {"batch_size": 3}, ["batch_size=3", "6"]),
        (SMALL, {"batch_size": 2**63}, [f"batch_size={2**63} came", "131072 at most"]),
        (SMALL, {"seq_len": 15}, ["train/0/batch/inputs", "(6, 16)"]),
    ],
)  # fmt: skip
def test_configuration(changed: Changed, name: str, changes: dict[str, Any], parts: list[str]) -> None:
    message = why(changed(name, header=config(**changes)))
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"family": "trem"}, "did you mean 'trm'"),
        ({"loss_type": "hinge"}, "'hinge'"),
        ({"config": "{"}, "garbled"),
        ({"config": "[1]"}, "JSON objects"),
        ({"train_steps": "six"}, "garbled"),
        ({"train_steps": "0"}, "train_steps=0"),
        ({"train_steps": "7"}, "lacks 'train/6/batch/inputs'"),
        ({"eval_steps": "5"}, "lacks 'eval/4/loss'"),
        ({"optimizer": "{}"}, "optimizer lacks 'betas'"),
        ({"optimizer": json.dumps({"lr": "x", "betas": [0.9, 0.95]})}, "optimizer"),
        ({"optimizer": json.dumps({"lr": 1, "betas": [0.9, 2], "weight_decay": 0, "puzzle_emb_lr": 0,
                                   "puzzle_emb_weight_decay": 0})}, "betas in [0, 1)"),
    ],
)  # fmt: skip
def test_header(changed: Changed, changes: dict[str, str], part: str) -> None:
    assert part in why(changed(SMALL, header=lambda about: about.update(changes)))


@pytest.mark.parametrize("key", ["family", "config", "loss_type", "train_steps", "eval_steps", "optimizer"])
def test_a_header_that_lacks_a_key(changed: Changed, key: str) -> None:
    assert f"'{key}'" in why(changed(SMALL, header=lambda about: about.pop(key)))


def all_below(prefix: str) -> Callable[[dict[str, torch.Tensor]], None]:
    def drop(found: dict[str, torch.Tensor]) -> None:
        for key in [key for key in found if key.startswith(prefix)]:
            del found[key]

    return drop


@pytest.mark.parametrize(
    ("edit", "part"),
    [
        (all_below("train/0/grad"), "records no grads"),
        (all_below("init/inner.q_head"), "inner.q_head.bias is missing"),
        (all_below("final/"), "final/"),
        (all_below("eval/batch/labels"), "lacks 'eval/batch/labels'"),
        (lambda found: found.update({"init/inner.more": torch.zeros(1)}), "inner.more is not in the model"),
        (lambda found: found["train/0/batch/inputs"].fill_(7), "ids outside 0..6"),
        (lambda found: found["train/2/batch/labels"].fill_(-1), "ids outside 0..6"),
        (lambda found: found["eval/batch/puzzle_identifiers"].fill_(5), "ids outside 0..4"),
        (lambda found: found.update({"eval/batch/inputs": torch.zeros(6, 16)}), "float32"),
        (lambda found: found.update({"eval/batch/puzzle_identifiers": torch.tensor(0)}), "of shape"),
        (lambda found: found.update({f"train/1/batch/{n}": found[f"train/1/batch/{n}"][:5] for n in
                                     ("inputs", "labels", "puzzle_identifiers")}), "5 rows"),
    ],
)  # fmt: skip
def test_tensors(changed: Changed, edit: Callable[..., None], part: str) -> None:
    assert part in why(changed(SMALL, edit))


def test_files_that_are_something_else(golden: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    assert "no file at" in why(path)
    for content in (b"", b"plain text", b"PK\x03\x04" + b"\0" * 99, b"\xff" * 4096):
        path.write_bytes(content)
        assert "damaged" in why(path)
    save_file({"weight": torch.zeros(2)}, path)
    assert "no golden vectors" in why(path)
    path.write_bytes((golden / f"{SMALL}.safetensors").read_bytes()[:-1000])
    assert "damaged" in why(path)
    assert str(tmp_path) in why(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(data=st.data())
def test_bytes_that_were_damaged_on_the_way(golden: Path, tmp_path: Path, data: st.DataObject) -> None:
    """A cut, or bytes of the header turned: an error in words, or numbers that do not agree; no other exception."""
    content = bytearray((golden / f"{SMALL}.safetensors").read_bytes())
    header = int.from_bytes(content[:8], "little")
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for place in data.draw(st.lists(st.integers(0, 8 + header), min_size=1, max_size=4)):
            content[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "x.safetensors"
    path.write_bytes(bytes(content))
    answer = api.parity([path], quiet=True)
    assert answer.ok is False or answer.files[0].error is None


def test_one_bad_file_does_not_hide_the_others(golden: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no")
    answer = api.parity([bad, golden / f"{SMALL}.safetensors"], quiet=True)
    assert answer.ok is False
    assert [file.ok for file in answer.files] == [False, True]
    assert answer.files[0].error is not None and "damaged" in answer.files[0].error
