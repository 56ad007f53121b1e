"""The reference's recordings, and copies of them with something changed."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="session")
def golden() -> Path:
    return GOLDEN


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """Writes a copy of a recording, its tensors and header changed by the functions given."""

    def write(
        name: str,
        tensors: Callable[[dict[str, Tensor]], object] = lambda found: None,
        header: Callable[[dict[str, str]], object] = lambda about: None,
    ) -> Path:
        with safe_open(GOLDEN / f"{name}.safetensors", "pt") as file:
            about = dict(file.metadata())
            found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        tensors(found)
        header(about)
        path = tmp_path / f"changed_{name}.safetensors"
        save_file({key: tensor.contiguous() for key, tensor in found.items()}, path, about)
        return path

    return write


@pytest.fixture(autouse=True)
def as_before() -> object:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
