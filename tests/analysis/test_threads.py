"""Threads by measurement: fewer where more are no faster, in little time, remembered for a little while."""

import json
import os
import time
from pathlib import Path

import pytest
import torch

from hrmlab.analysis import threads
from hrmlab.analysis.threads import FRESH, Threads, choose, fewest, measured


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        ({1: 1.0}, 1),
        ({1: 1.0, 2: 0.55}, 2),
        ({1: 1.0, 2: 0.95}, 1),  # the second is not worth it
        ({1: 1.0, 2: 3.0}, 1),  # the second core is busy
        ({1: 1.0, 2: 0.5, 4: 0.3, 8: 0.9}, 4),
        ({1: 1.0, 2: 1.1, 4: 0.4}, 4),  # a step that is worth nothing does not hide the next
    ],
)
def test_each_step_up_must_be_worth_it(seconds: dict[int, float], wanted: int) -> None:
    assert fewest(seconds) == wanted


def test_where_there_is_one_thread_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "measured", pytest.fail)
    found = choose(1, tmp_path)
    assert found == Threads(1, {}) and "all there is" in found.why


def test_what_was_measured_is_remembered_for_a_little_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []

    def times(counts: list[int]) -> dict[int, float]:
        asked.append(counts)
        return {count: 1e-3 * count for count in counts}

    monkeypatch.setattr(threads, "measured", times)
    first = choose(6, tmp_path / "threads")
    assert first.count == 1 and asked == [[1, 2, 4, 6]]
    assert "1.0 ms with 1, 2.0 ms with 2" in first.why
    assert choose(6, tmp_path / "threads") == first and len(asked) == 1
    assert choose(2, tmp_path / "threads").seconds.keys() == {1, 2} and len(asked) == 2
    for path in (tmp_path / "threads").iterdir():
        os.utime(path, (time.time() - FRESH - 1,) * 2)
    choose(6, tmp_path / "threads")
    assert len(asked) == 3


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"count": 1, "seconds": 3}', json.dumps({"count": "many"})])
def test_a_damaged_memory_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setattr(threads, "measured", lambda counts: dict.fromkeys(counts, 1.0))
    choose(2, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(content)
    assert choose(2, tmp_path) == Threads(1, {1: 1.0, 2: 1.0})


def test_measuring_takes_little_time_and_leaves_the_threads_as_they_were() -> None:
    before, start = torch.get_num_threads(), time.perf_counter()
    found = measured([1, 2])
    assert time.perf_counter() - start < 2.0  # 0.3 s on a core of its own
    assert torch.get_num_threads() == before
    assert found.keys() == {1, 2} and all(seconds > 0 for seconds in found.values())
