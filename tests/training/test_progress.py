"""Metrics of a resumed run begin where its checkpoint was taken."""

import json
from pathlib import Path

from hrmlab.training.folder import RunFolder
from hrmlab.training.progress import forget_after


def test_lines_after_the_checkpoint_and_broken_ones_are_dropped(tmp_path: Path) -> None:
    lines = [json.dumps({"step": step, "loss": 1.0}) for step in (1, 5, 6, 9)]
    (tmp_path / "metrics.jsonl").write_text("\n".join([*lines, '{"step": 9, "lo']))
    forget_after(RunFolder(tmp_path), 5)
    kept = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in kept] == [1, 5]


def test_a_run_without_metrics_is_left_alone(tmp_path: Path) -> None:
    forget_after(RunFolder(tmp_path), 5)
    assert list(tmp_path.iterdir()) == []
