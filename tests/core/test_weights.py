"""Weights on disk: the same bits back, and every mismatch by name."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from hrmlab.core.model import HRM
from hrmlab.core.weights import load_weights, read_weights, save_weights
from hrmlab.embeddings import Learned, PuzzleConfig
from hrmlab.errors import CheckpointError
from hrmlab.spec import TaskSpec

MakeModel, MakeSpec = Callable[..., HRM], Callable[..., TaskSpec]


def test_weights_come_back_bitwise_puzzle_table_and_initial_states_included(
    make_model: MakeModel, make_spec: MakeSpec, tmp_path: Path
):
    parts = {"puzzle": PuzzleConfig(width=16, init_std=1.0)}
    saved, loaded = (make_model(make_spec(), seed=seed, **parts) for seed in (1, 2))
    save_weights(saved, tmp_path / "w.safetensors")
    load_weights(loaded, tmp_path / "w.safetensors")
    ours = loaded.state_dict()
    assert {"puzzles.rows", "initial"} <= ours.keys()
    assert all(torch.equal(tensor, ours[name]) for name, tensor in saved.state_dict().items())
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


def test_a_model_that_does_not_fit_names_every_tensor_and_is_left_alone(
    make_model: MakeModel, make_spec: MakeSpec, tmp_path: Path
):
    save_weights(make_model(make_spec(), puzzle=PuzzleConfig(width=16)), tmp_path / "w")
    other = make_model(make_spec(2, 3), positions=Learned())
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(CheckpointError) as raised:
        load_weights(other, tmp_path / "w")
    for part in (
        "embedding.positions is missing",
        "puzzles.rows is not in the model",
        "embedding.tokens has shape (6, 16), the model wants (8, 16)",
    ):
        assert part in str(raised.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in other.state_dict().items())


def test_missing_and_damaged_files_are_named(make_model: MakeModel, make_spec: MakeSpec, tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"no weights file at .*none"):
        read_weights(tmp_path / "none")
    path = tmp_path / "cut"
    save_weights(make_model(make_spec()), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cut is damaged"):
        read_weights(path)
