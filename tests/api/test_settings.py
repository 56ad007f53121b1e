"""Options that verbs share."""

import pytest
import torch

from hrmlab.analysis.threads import Threads as Measured
from hrmlab.api import settings
from hrmlab.api.settings import choose_device, import_parts, use_threads
from hrmlab.errors import ConfigError


def test_auto_takes_what_there_is() -> None:
    wanted = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device("auto").type == wanted
    assert choose_device("cpu").type == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
def test_a_device_that_is_not_here_is_refused() -> None:
    with pytest.raises(ConfigError, match="--device cpu"):
        choose_device("cuda")


def test_threads() -> None:
    use_threads(None)
    use_threads(1)
    assert torch.get_num_threads() == 1
    for wrong in (0, "many"):
        with pytest.raises(ConfigError, match=f"threads={wrong}"):
            use_threads(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("found", "said"), [(2, 1), (3, 0)])
def test_fewer_threads_are_taken_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: int, said: int
) -> None:
    monkeypatch.setattr(settings, "choose", lambda most, folder: Measured(found, {2: 0.002, most: 0.003}))
    torch.set_num_threads(3)
    try:
        use_threads("auto", quiet=False)
        assert torch.get_num_threads() == found
    finally:
        torch.set_num_threads(1)
    note = capsys.readouterr().err
    assert note.count("\n") == said
    if said:
        assert "2 of 3 threads" in note and "2.0 ms with 2, 3.0 ms with 3" in note and "--threads 3" in note


def test_modules_are_imported_by_name() -> None:
    import_parts(["json"])
    with pytest.raises(ConfigError, match="no_such_module"):
        import_parts(["no_such_module"])
