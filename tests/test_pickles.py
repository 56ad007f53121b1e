"""A class by a name that none has, which torch would look at for hours."""

import pickle
import time
import zipfile
from pathlib import Path

import pytest
import torch

from hrmlab.pickles import LONGEST, refuse_long_names


def written(path: Path, name: str, zipped: bool) -> Path:
    """A file that asks for a class, in either format of `torch.save`."""
    asking = b"\x80\x02c" + name.encode() + b"\nfoo\n."
    if not zipped:
        path.write_bytes(asking)
        return path
    stream = torch._C.PyTorchFileWriter(str(path))
    stream.write_record("data.pkl", asking, len(asking))
    stream.write_end_of_file()
    return path


@pytest.mark.parametrize("zipped", [False, True])
def test_a_name_that_no_class_has_is_refused_at_once(tmp_path: Path, zipped: bool) -> None:
    file = written(tmp_path / "long.pt", "x" * 10**6, zipped)
    before = time.process_time()
    with pytest.raises(pickle.UnpicklingError, match="a name of 1000004 letters"):
        refuse_long_names(file)
    assert time.process_time() - before < 1


def test_a_wrong_checksum_hides_nothing(tmp_path: Path) -> None:
    file = written(tmp_path / "long.pt", "x" * 10**5, zipped=True)
    content = file.read_bytes()
    file.write_bytes(content.replace(b"xxxx", b"yxxx", 1))
    with pytest.raises(pickle.UnpicklingError, match="a name of"):
        refuse_long_names(file)


def test_nor_does_compression(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "long.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("long/data.pkl", b"\x80\x02c" + b"x" * 10**5 + b"\nfoo\n.")
    with pytest.raises(pickle.UnpicklingError, match="a name of"):
        refuse_long_names(tmp_path / "long.pt")


@pytest.mark.parametrize("asking", [b"\x80\x02c" + b"x" * 10**5, b"\x80\x02c\xc3\xa4" + b"x" * 10**5 + b"\nfoo\n."])
def test_names_that_only_torch_would_take_for_such(tmp_path: Path, asking: bytes) -> None:
    """Without an end, and in letters beyond ASCII."""
    (tmp_path / "long.pt").write_bytes(asking)
    with pytest.raises(pickle.UnpicklingError, match="a name of"):
        refuse_long_names(tmp_path / "long.pt")


@pytest.mark.parametrize("zipped", [False, True])
def test_others_are_left_to_torch(tmp_path: Path, zipped: bool) -> None:
    file = written(tmp_path / "short.pt", "x" * (LONGEST - 10), zipped)
    refuse_long_names(file)
    with pytest.raises(pickle.UnpicklingError, match="was not an allowed global"):
        torch.load(file, weights_only=True)


@pytest.mark.parametrize("zipped", [False, True])
def test_sound_files_pass(tmp_path: Path, zipped: bool) -> None:
    state = {"a" * 2000: torch.zeros(3), "b": {"c": [1, 2.5, None]}}
    torch.save(state, tmp_path / "sound.pt", _use_new_zipfile_serialization=zipped)
    refuse_long_names(tmp_path / "sound.pt")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no pickle", b"\x80\x02", b"\x8d" + b"\xff" * 8, b"("])
def test_what_is_no_pickle_passes_too(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "thing").write_bytes(content)
    refuse_long_names(tmp_path / "thing")
