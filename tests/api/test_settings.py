"""Options that verbs share."""

import pytest
import torch

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
    with pytest.raises(ConfigError, match="threads=0"):
        use_threads(0)


def test_modules_are_imported_by_name() -> None:
    import_parts(["json"])
    with pytest.raises(ConfigError, match="no_such_module"):
        import_parts(["no_such_module"])
