"""Reference checkpoints: a `torch.save` state dict beside `all_config.yaml`, read without running code, written back.

Layout: a folder with `step_<N>` (later versions: any name) and `all_config.yaml`.
"""

import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from hrmlab.core.model import HRM
from hrmlab.core.weights import compare, fill
from hrmlab.errors import CheckpointError, MissingExtraError
from hrmlab.interop.arch import Arch, model_config
from hrmlab.interop.names import bare, places, to_ours, to_theirs
from hrmlab.pickles import refuse_long_names
from hrmlab.reading import exists, whole
from hrmlab.spec import TaskSpec
from hrmlab.training.checkpoint import WEIGHTS
from hrmlab.training.folder import HUB_WEIGHTS

CONFIG = "all_config.yaml"


@dataclass(frozen=True)
class Located:
    """A checkpoint on this machine.

    weights: the file.
    config: the reference's configuration, where there is one.
    run: the folder, where it holds a run of ours (`config.json` and weights) and none of the reference's.
    """

    weights: Path
    config: Path | None
    run: Path | None = None


def locate(source: str | Path) -> Located:
    """The files of a checkpoint: of its folder, its weights file, or a repository on the Hugging Face Hub.

    Raises:
        CheckpointError: nothing is there, several weights files are, or the download failed.
        MissingExtraError: the Hub's client is needed and not installed.
    """
    path = Path(source)
    if not exists(path):
        path = download(str(source))
    folder = path if path.is_dir() else path.parent
    config = folder / CONFIG if (folder / CONFIG).is_file() else None
    if config is None and (ours := _ours(path, folder)) is not None:
        return Located(ours, None, folder)
    return Located(path if path.is_file() else _newest(path), config)


def _ours(path: Path, folder: Path) -> Path | None:
    """The weights of a folder as `card.write` makes it, or of a run, if it is one."""
    files = [path] if path.is_file() else [folder / name for name in (HUB_WEIGHTS, WEIGHTS)]
    return next((f for f in files if f.is_file() and (folder / "config.json").is_file()), None)


def _newest(folder: Path) -> Path:
    """The weights in a folder: the highest step, or the only candidate."""
    numbers = {p: whole(p.name.removeprefix("step_")) for p in folder.glob("step_*") if p.is_file()}
    steps = [(number, p) for p, number in numbers.items() if number is not None]
    if steps:
        return max(steps)[1]
    others = [p for p in sorted(folder.iterdir()) if p.suffix in (".pt", ".pth", ".bin", ".safetensors", "")]
    others = [p for p in others if p.is_file() and not p.name.startswith((".", "LICENSE", "README"))]
    if len(others) != 1:
        came = ", ".join(p.name for p in others) or "none"
        raise CheckpointError(f"{folder}: {came} might be the weights; wanted step_<N>, or name the file itself")
    return others[0]


def is_hub_name(name: str) -> bool:
    """Whether a name has the form owner/name."""
    parts = name.split("/")
    return len(parts) == 2 and all(parts) and parts[0] not in (".", "..", "~")


def download(name: str) -> Path:
    """The folder of a repository on the Hugging Face Hub, from the client's cache where it is there already.

    Raises:
        CheckpointError: the name is none, or the download failed.
        MissingExtraError: the Hub's client is not installed.
    """
    if not is_hub_name(name):
        raise CheckpointError(f"no checkpoint at {name}; wanted a file, a folder, or owner/name on the Hub")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtraError(
            f"reading {name} from the Hub needs huggingface-hub: pip install 'hrm-lab[hub]'"
        ) from None
    try:
        return Path(snapshot_download(repo_id=name))
    except Exception as error:  # the client lets errors of several HTTP libraries through
        why = (str(error).splitlines() or [""])[0]
        raise CheckpointError(
            f"no folder {name} here, and it cannot be downloaded from the Hub ({type(error).__name__}: {why}); "
            "download it by hand and pass its folder"
        ) from None


def read(file: Path) -> dict[str, Tensor]:
    """The tensors of a weights file under the names that stand there; never runs code that the file brings.

    Raises:
        CheckpointError: unreadable, damaged, or holding more than tensors.
    """
    try:
        if file.suffix == ".safetensors":
            found: Any = load_file(file)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of other pickle protocols: what cannot be read raises
                refuse_long_names(file)
                found = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        why = (str(error).splitlines() or [""])[0]
        raise CheckpointError(
            f"{file} holds more than tensors and is not opened, since that may run code: {why}"
        ) from None
    except Exception as error:  # the reader of pickles lets anything through
        kind = type(error).__name__
        raise CheckpointError(f"{file} is damaged or no checkpoint ({kind}); wanted what torch.save wrote") from None
    if not isinstance(found, Mapping) or not found or not all(map(_real, found.values())):
        raise CheckpointError(f"{file} is no state dict: wanted tensors by name")
    return {str(name): tensor for name, tensor in found.items()}


def facts(found: Mapping[str, Tensor]) -> dict[str, int]:
    """What the weights say about the data: vocab_size, and num_puzzle_identifiers where there is a puzzle table."""
    short = {name: found[disk] for name, disk in bare(found).items()}
    known = {}
    if "embed_tokens.embedding_weight" in short:
        known["vocab_size"] = _rows(short["embed_tokens.embedding_weight"])
    if "puzzle_emb.weights" in short:
        known["num_puzzle_identifiers"] = _rows(short["puzzle_emb.weights"])
    return known


def _rows(table: Tensor) -> int:
    """0 for what is no table; it will not fit the model."""
    return table.shape[0] if table.ndim else 0


def _real(value: Any) -> bool:
    return isinstance(value, Tensor) and not value.is_complex()


def into_model(found: Mapping[str, Tensor], arch: Arch, spec: TaskSpec, where: str) -> HRM:
    """Our model with a reference's weights.

    Raises:
        CheckpointError: every missing, unknown and misshapen tensor, under the reference's names.
    """
    model = HRM(model_config(arch), spec)
    short = {name: found[disk].float() for name, disk in bare(found).items()}
    names, state = places(model.state_dict(), arch), model.state_dict()
    compare(to_theirs(state, names), short, where)
    fill(model, to_ours(short, names), where)
    return model


def from_model(model: HRM, arch: Arch, prefix: str = "_orig_mod.model.inner.") -> dict[str, Tensor]:
    """The reference's state dict of one of our models.

    Args:
        prefix: as the reference's own training loop writes it, compiled and inside the loss head.
    """
    state = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    theirs = to_theirs(state, places(state, arch))
    return {prefix + name: tensor.contiguous() for name, tensor in theirs.items()}
