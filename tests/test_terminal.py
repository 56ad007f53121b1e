"""Progress for people: a bar on a terminal, lines elsewhere, nothing if quiet; never on standard output."""

import pytest

from hrmlab import terminal
from hrmlab.terminal import Meter, note


def test_lines_come_at_most_every_so_often(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 5.0, 11.0, 11.0, 12.0, 25.0, 25.0])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    with Meter("counting") as meter:
        for number in range(1, 5):
            meter.update(number / 4, f"{number} of 4")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["counting:  50%  2 of 4", "counting: 100%  4 of 4"]


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "EVERY", 0.0)
    with Meter("counting", quiet=True) as meter:
        meter.update(1.0)
    note("done", quiet=True)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Meter("counting") as meter:
        meter.update(0.5, "2 of 4")
    assert "counting:" not in capsys.readouterr().err
