"""What TensorBoard reads back is what the run recorded."""

import json
import sys
from pathlib import Path

import pytest

from hrmlab import api
from hrmlab.errors import MissingExtraError
from hrmlab.training.tensorboard import Mirror

TINY = ("data.train=16", "data.test=4", "training.batch_size=4", "evaluation=fixed", "evaluation.max_segments=2")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_run_is_mirrored_number_by_number(tmp_path: Path) -> None:
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="pip install 'hrm-lab[tensorboard]'"
    )
    api.train("sudoku-4x4", (*TINY, "training.tensorboard=true"), out=tmp_path / "run", steps=3, quiet=True)
    records = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    events = accumulator.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    read = [(event.step, pytest.approx(event.value, rel=1e-6)) for event in events.Scalars("loss")]
    assert read == [(record["step"], record["loss"]) for record in records if "loss" in record]


def test_its_absence_is_said_before_anything_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"hrm-lab\[tensorboard\]"):
        Mirror(tmp_path, 0)
