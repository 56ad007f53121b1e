"""Small models of the reference's making, their files, and data to train on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file
from torch import Tensor

from hrmlab import api
from hrmlab.interop.golden import MODELS
from hrmlab.interop.published import ARCH

GOLDEN = Path(__file__).parents[1] / "golden"

SHAPE = {
    "batch_size": 4, "seq_len": 16, "vocab_size": 6, "num_puzzle_identifiers": 1, "puzzle_emb_ndim": 16, "H_cycles": 2,
    "L_cycles": 2, "H_layers": 1, "L_layers": 1, "hidden_size": 16, "expansion": 2, "num_heads": 2,
    "pos_encodings": "rope", "halt_max_steps": 3, "halt_exploration_prob": 0.1, "forward_dtype": "float32",
}  # fmt: skip
"""A model of 4x4 Sudoku under the reference's keys."""


@pytest.fixture(scope="session")
def golden() -> Path:
    return GOLDEN


@pytest.fixture(scope="session")
def drop_in() -> Callable[..., Any]:
    """A model of the drop-in classes."""

    def make(family: str = "hrm", seed: int = 0, **changes: Any) -> Any:
        torch.manual_seed(seed)
        own = {"H_layers": 0, "puzzle_emb_len": 2} if family == "trm" else {}
        return MODELS[family](SHAPE | own | changes)

    return make


@pytest.fixture(scope="session")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 4x4 Sudoku in the reference's layout; not to be changed."""
    path = tmp_path_factory.mktemp("data") / "four"
    api.data_build("sudoku-4x4", out=path, train=30, test=10, seed=3, quiet=True)
    return path


@pytest.fixture(scope="session")
def batches(four: Path) -> Callable[[int, int], dict[str, Tensor]]:
    """The t-th batch of training puzzles, as the reference's loader hands them out."""
    found = {name: np.load(four / "train" / f"all__{name}.npy") for name in ("inputs", "labels", "puzzle_identifiers")}
    assert json.loads((four / "train" / "dataset.json").read_text())["seq_len"] == SHAPE["seq_len"]

    def make(t: int, size: int) -> dict[str, Tensor]:
        rows = np.arange(t * size, (t + 1) * size) % len(found["inputs"])
        return {name: torch.from_numpy(array[rows].astype(np.int32)) for name, array in found.items()}

    return make


def config_of(model: Any, data: Path | str, **changes: Any) -> dict[str, Any]:
    """all_config.yaml of a drop-in model, with the keys that the reference's file has."""
    family = model.config.family
    arch = {key: value for key, value in model.config.model_dump().items() if key in ARCH[family]}
    loss = {"name": "losses@ACTLossHead", "loss_type": "stablemax_cross_entropy"}
    where = {"data_path": str(data)} if family == "hrm" else {"data_paths": [str(data)]}
    own = {"arch": arch | {"name": ARCH[family]["name"], "loss": loss}, **where, "global_batch_size": 4, "epochs": 10}
    return own | {"lr": 1e-4, "seed": 0} | changes


@pytest.fixture
def saved(drop_in: Callable[..., Any], four: Path, tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint folder as the reference does."""

    def write(
        family: str = "hrm",
        prefix: str = "_orig_mod.model.",
        name: str = "step_30",
        edit: Callable[[dict[str, Tensor]], object] = lambda state: None,
        config: bool = True,
        data: Path | str | None = None,
        **shape: Any,
    ) -> Path:
        folder = tmp_path / f"checkpoint-{family}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        model = drop_in(family, **shape)
        if "inner.puzzle_emb.weights" in model.state_dict():
            torch.nn.init.normal_(model.puzzle_emb.weights)
        state = {prefix + key: value.clone() for key, value in model.state_dict().items()}
        edit(state)
        if name.endswith(".safetensors"):
            save_file(state, folder / name)
        else:
            torch.save(state, folder / name)
        if config:
            text = OmegaConf.to_yaml(OmegaConf.create(config_of(model, four if data is None else data)))
            (folder / "all_config.yaml").write_text(text)
        return folder

    return write


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files without --out land in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
