"""Golden vectors: heads that say something else than the tensors, and tensors of other forms."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from fuzz.damage import altered, damaged, json_files, odd
from fuzz.folders import any_file
from fuzz.harness import fuzzed, judge
from fuzz.hostile import TENSORS
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from hrmlab.interop.golden import Golden
from hrmlab.interop.parity import check

SOURCE = Path(__file__).parents[1] / "golden" / "trm_attention.safetensors"
DENSE = [tensor for tensor in TENSORS if tensor.layout == torch.strided and tensor.numel() < 10**6]


@pytest.fixture(scope="module")
def sound() -> tuple[dict[str, str], dict[str, Tensor]]:
    """Head and tensors of one step of training and one of evaluation."""
    with safe_open(SOURCE, "pt") as file:
        about = file.metadata() | {"train_steps": "1", "eval_steps": "1"}
        names = [name for name in file.keys() if not name.startswith(("train/", "eval/"))]  # noqa: SIM118
        names += [name for name in file.keys() if name.startswith(("train/0/", "eval/"))]  # noqa: SIM118
        return about, {name: file.get_tensor(name) for name in names}


def played(home: Path, content: bytes, *, whole: bool) -> Any:
    """whole: replayed too, which takes some tens of times as long as reading and building."""
    file = home / "golden.safetensors"
    file.write_bytes(content)

    def read() -> Golden:
        golden = Golden.read(file)
        golden.model(torch.float32)
        golden.batch("train/0")
        return golden

    return judge((lambda: check(file)) if whole else read, home)


def test_the_sound_one_is_read(home: Path, sound: tuple[dict[str, str], dict[str, Tensor]]) -> None:
    about, tensors = sound
    assert played(home, save(tensors, about), whole=False) is not None
    # What was trained is of another number of steps; what is imported at first takes longer than a case may.
    assert check(home / "golden.safetensors").share["outputs"] <= 1


def test_heads(home: Path, sound: tuple[dict[str, str], dict[str, Tensor]]) -> None:
    about, tensors = sound
    inner = {name: json.loads(about[name]) for name in ("config", "optimizer")}
    plain = {name: text for name, text in about.items() if name not in inner}

    @fuzzed(share=0.5)
    @given(altered(inner, edits=2), altered(plain, edits=1, values=st.text(max_size=5) | odd()))
    def heads(parts: Any, rest: Any) -> None:
        said = {name: json.dumps(part) for name, part in parts.items()} if isinstance(parts, dict) else {}
        rest = rest if isinstance(rest, dict) else {}
        head = {name: text for name, text in (rest | said).items() if isinstance(text, str) and is_text(name + text)}
        played(home, save(tensors, head), whole=False)

    heads()


def is_text(text: str) -> bool:
    return text.encode("utf-8", "replace").decode() == text


def usable(name: str, tensor: Any) -> bool:
    """By a program that writes safetensors."""
    return is_text(name) and isinstance(tensor, Tensor)


def test_tensors(home: Path, sound: tuple[dict[str, str], dict[str, Tensor]]) -> None:
    about, tensors = sound

    @fuzzed(share=0.1)
    @given(
        st.deferred(lambda: altered(tensors, edits=2, values=st.sampled_from(DENSE))),
        json_files(json.loads(about["optimizer"])),
    )
    def files(found: Any, optimizer: bytes) -> None:
        named = found if isinstance(found, dict) else {"": torch.zeros(1)}
        named = {name: tensor.clone() for name, tensor in named.items() if usable(name, tensor)}
        played(home, save(named, about), whole=True)
        said = about | {"optimizer": optimizer.decode("utf-8", "replace")}
        played(home, save(tensors, said), whole=True)

    files()


def test_bytes(home: Path, sound: tuple[dict[str, str], dict[str, Tensor]]) -> None:
    about, tensors = sound
    source = save({name: tensor for name, tensor in tensors.items() if tensor.numel() < 100}, about)

    @fuzzed()
    @given(any_file("golden.safetensors", source) | damaged(source))
    def files(content: bytes) -> None:
        played(home, content, whole=False)

    files()
