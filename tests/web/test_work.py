"""What the process that solves makes of its job, and of its lines."""

import os

import pytest

from hrmlab.errors import HrmLabError
from hrmlab.web.protocol import Ask, Forget, Found, Job, Shown
from hrmlab.web.work import _Lines, hear, prepare, turn


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (Job("sudoku-6x6", halting="correctness,thresh=1", device="cpu"), "thresh"),
        (Job("sudoku-6x6", engine="captured", device="cpu"), "CUDA"),
        (Job("sudoku-6x6", imports=["no_such_module"], device="cpu"), "no_such_module"),
        (Job("sudoku-6x6", threads=0, device="cpu"), "threads=0"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused(job: Job, said: str) -> None:
    with pytest.raises(HrmLabError, match=said):
        prepare(job)


def test_turns_tell_what_is_asked_for(puzzles: list[str]) -> None:
    desk, task, ready = prepare(Job("sudoku-6x6", halting="fixed,max_segments=2", device="cpu", slots=1))
    assert ready.task["kind"] == "sudoku" and ready.about["halting"]["kind"] == "fixed" and ready.about["slots"] == 1
    tokens = [int(letter) + 1 if letter.isdigit() else 1 for letter in puzzles[0]]
    for number in (5, 6, 7):
        hear(desk, Ask(number, tokens, watched=number == 5))
    hear(desk, Forget(6))
    first, second, third, last = (turn(desk, task) for _ in range(4))
    assert [(of.working, of.waiting) for of in (first, second, third, last)] == [(1, 1), (0, 1), (1, 0), (0, 0)]
    assert [type(said) for said in first.said] == [Shown] and first.said[0].segment == 1
    assert [type(said) for said in second.said] == [Shown, Found] and second.said[1].number == 5
    assert [said.number for said in last.said] == [7] and last.said[0].segments == 2


def test_lines_come_whole_however_they_were_cut() -> None:
    reading, writing = os.pipe()
    lines = _Lines(reading)
    assert list(lines.lines(wait=False)) == []
    os.write(writing, b"on")
    assert list(lines.lines(wait=False)) == []
    os.write(writing, b"e\ntwo\nthr")
    assert list(lines.lines(wait=True)) == [b"one", b"two"]
    os.write(writing, b"ee\n")
    os.close(writing)
    found = lines.lines(wait=True)
    assert next(found) == b"three"
    with pytest.raises(EOFError):
        list(lines.lines(wait=True))
    os.close(reading)
