"""Checkpoints of the reference's: pickles that would run, other tensors, other names, and what lies beside them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from fuzz.damage import altered
from fuzz.folders import any_file
from fuzz.harness import fuzzed, judge
from fuzz.hostile import CALLS, SENTINEL, TENSORS, pickles, saved
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save
from torch import Tensor

from hrmlab import api
from hrmlab.interop import checkpoint
from hrmlab.interop.golden import MODELS

SHAPE = {
    "batch_size": 4, "seq_len": 16, "vocab_size": 6, "num_puzzle_identifiers": 1, "puzzle_emb_ndim": 16, "H_cycles": 1,
    "L_cycles": 1, "H_layers": 1, "L_layers": 1, "hidden_size": 16, "expansion": 2, "num_heads": 2,
    "pos_encodings": "rope", "halt_max_steps": 2, "halt_exploration_prob": 0.1, "forward_dtype": "float32",
}  # fmt: skip
CONFIG = """data_path: data/sudoku-4x4
global_batch_size: 4
epochs: 1
lr: 1e-4
seed: 0
arch:
  name: hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1
  loss: {name: losses@ACTLossHead, loss_type: stablemax_cross_entropy}
  halt_exploration_prob: 0.1
  halt_max_steps: 2
  H_cycles: 1
  L_cycles: 1
  H_layers: 1
  L_layers: 1
  hidden_size: 16
  num_heads: 2
  expansion: 2
  puzzle_emb_ndim: 16
  pos_encodings: rope
"""

OTHERS = st.sampled_from(TENSORS) | st.integers() | st.none()


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {f"_orig_mod.model.{name}": tensor.clone() for name, tensor in MODELS["hrm"](SHAPE).state_dict().items()}


@pytest.fixture(scope="module")
def folder(home: Path) -> Path:
    folder = home / "theirs"
    folder.mkdir()
    (folder / "all_config.yaml").write_text(CONFIG)
    api.data_build("sudoku-4x4", out=home / "data", train=4, test=2, quiet=True)
    return folder


def taken(folder: Path, name: str, content: bytes) -> Any:
    """The model out of a file of that name, if it is one."""
    (folder / name).write_bytes(content)
    try:
        return judge(lambda: api.from_pretrained(folder, data=folder.parent / "data"), folder.parent)
    finally:
        (folder / name).unlink()
        assert not (folder.parent / SENTINEL).exists()


def test_a_sound_one_is_taken(folder: Path, state: dict[str, Tensor]) -> None:
    for name, content in (("step_1", saved(state)), ("model.safetensors", save(state))):
        model = taken(folder, name, content)
        assert torch.equal(model.embedding.answer.weight, state["_orig_mod.model.inner.lm_head.weight"])


def test_pickles(folder: Path, state: dict[str, Tensor]) -> None:
    @fuzzed()
    @given(pickles(saved(state)))
    def files(content: bytes) -> None:
        taken(folder, "step_1", content)

    files()


@pytest.mark.parametrize("call", CALLS)
def test_a_pickle_that_calls_is_not_opened(home: Path, call: object) -> None:
    (home / "step_1").write_bytes(saved({"model.inner.H_init": torch.zeros(2), "x": call}))
    assert judge(lambda: checkpoint.read(home / "step_1"), home) is None
    assert not (home / SENTINEL).exists()


def test_states(folder: Path, state: dict[str, Tensor]) -> None:
    names = st.sampled_from(
        ("model.", "inner.", "puzzle_emb.", "..", "_orig_mod.model.inner.x", "\ud800", "a b\x1b[2J", "")
    )

    @fuzzed(share=0.4)
    @given(st.deferred(lambda: altered(state, edits=2, values=OTHERS)), st.none() | names)
    def states(thing: Any, name: str | None) -> None:
        if name is not None and isinstance(thing, dict):
            thing = {name + key: tensor for key, tensor in thing.items()}
        taken(folder, "step_1", saved(thing))

    states()


def test_safetensors(folder: Path, state: dict[str, Tensor]) -> None:
    @fuzzed(share=0.4)
    @given(any_file("model.safetensors", save(state)))
    def files(content: bytes) -> None:
        taken(folder, "model.safetensors", content)

    files()


@pytest.mark.parametrize("names", [(), ("a.pt", "b.pt"), ("step_x",), ("step_1/",), ("step_" + "9" * 200,)])
def test_strange_folders_are_refused_or_read(home: Path, names: tuple[str, ...]) -> None:
    folder = home / "strange"
    folder.mkdir()
    (folder / "all_config.yaml").write_text(CONFIG)
    for name in names:
        (folder / name).mkdir() if name.endswith("/") else (folder / name).write_bytes(b"x")
    try:
        assert judge(lambda: api.from_pretrained(folder), home) is None
    finally:
        shutil.rmtree(folder)
