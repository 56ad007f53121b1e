"""Solving from the command line: arguments, standard input, files, and drawings."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hrmlab.tasks import Sudoku

Hrm = Callable[..., Any]


def test_puzzles_are_answered_in_their_order(hrm: Hrm, run: Path, puzzles: list[str]) -> None:
    results = hrm("solve", run, *puzzles[:3], "--json").json["results"]
    assert [result["input"] for result in results] == puzzles[:3]
    task = Sudoku(box_rows=2, box_cols=2)
    for result in results:
        assert len(result["output"]) == 16
        assert result["segments"] == 3 and result["reason"] == "limit"
        assert 0.0 <= result["confidence"] <= 1.0
        answer = np.array([[int(digit) + 1 for digit in result["output"]]], np.int32)
        assert result["solved"] == bool(task.valid(task.parse(result["input"])[None], answer)[0])


def test_standard_input_gives_a_puzzle_a_line(
    hrm: Hrm, run: Path, puzzles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(puzzles[:2]) + "\n\n"))
    assert [r["input"] for r in hrm("solve", run, "-", "--json").json["results"]] == puzzles[:2]


def test_standard_input_may_be_one_pasted_board(
    hrm: Hrm, run: Path, puzzles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    board = "\n".join(puzzles[0][start : start + 4] for start in range(0, 16, 4))
    monkeypatch.setattr("sys.stdin", io.StringIO(board))
    assert [r["input"] for r in hrm("solve", run, "-", "--json").json["results"]] == puzzles[:1]


def test_a_bad_line_of_standard_input_is_named(
    hrm: Hrm, run: Path, puzzles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{puzzles[0]}\n12x\n"))
    called = hrm("solve", run, "-")
    assert called.code == 2
    assert "standard input line 2" in called.err and "3 came" in called.err


def test_a_bad_line_of_a_jobs_file_is_reported_and_the_others_solved(
    hrm: Hrm, run: Path, puzzles: list[str], tmp_path: Path
) -> None:
    jobs, out = tmp_path / "jobs.txt", tmp_path / "out.jsonl"
    jobs.write_text("\n".join([puzzles[0], "11..............", puzzles[1], "." * 16]))
    called = hrm("solve", run, "--jobs", jobs, "--out", out, "--json")
    assert called.code == 1
    results = called.json["results"]
    assert [result["error"] is None for result in results] == [True, False, True, False]
    assert "line 2" in results[1]["error"] and "stands twice" in results[1]["error"]
    assert "line 4" in results[3]["error"] and "several solutions" in results[3]["error"]
    assert [json.loads(line) for line in out.read_text().splitlines()] == results


def test_a_jobs_file_of_good_lines_ends_well(hrm: Hrm, run: Path, puzzles: list[str], tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.txt"
    jobs.write_text("\r\n".join(puzzles[:5]) + "\r\n")
    assert hrm("solve", run, "--jobs", jobs).code == 0


def test_show_draws_every_segment_and_keeps_json_clean(hrm: Hrm, run: Path, puzzles: list[str]) -> None:
    plain = hrm("solve", run, puzzles[0], "--show")
    assert [f"segment {n}" in plain.out for n in (1, 2, 3, 4)] == [True, True, True, False]
    assert plain.out.count("┌") == 3
    called = hrm("solve", run, puzzles[0], "--show", "--json")
    assert called.json["results"] and called.err.count("┌") == 3


def test_the_halting_rule_may_be_chosen(hrm: Hrm, run: Path, puzzles: list[str]) -> None:
    eager = hrm("solve", run, puzzles[0], "--halting", "correctness,threshold=0.0", "--json").json["results"][0]
    assert (eager["segments"], eager["reason"]) == (1, "halted")
    longer = hrm("solve", run, puzzles[0], "--halting", "fixed,max_segments=5", "--json").json["results"][0]
    assert (longer["segments"], longer["reason"]) == (5, "limit")


def test_checkpoints_and_weights_are_runs_too(hrm: Hrm, run: Path, puzzles: list[str]) -> None:
    whole = hrm("solve", run, puzzles[0], "--json").json["results"]
    newest = run / "checkpoints" / "00000010"
    assert hrm("solve", newest, puzzles[0], "--json").json["results"] == whole
    assert hrm("solve", newest / "weights.safetensors", puzzles[0], "--json").json["results"] == whole
    older = hrm("eval", run / "checkpoints" / "00000005", "--json").json
    assert older["protocol"]["weights"].endswith("step 5")


def test_a_data_set_of_another_board_is_answered_where_weights_allow(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    six = tmp_path / "six"
    assert hrm("data", "build", "sudoku-6x6", "--train", 1, "--test", 4, "--out", six, "--quiet").code == 0
    answer = hrm("eval", run, "--data", six, "--json").json
    assert answer["n"] == 4 and answer["protocol"]["task"]["box_cols"] == 3


def test_eval_reads_a_data_set(hrm: Hrm, run: Path, data: Path) -> None:
    answer = hrm("eval", run, "--data", data, "--n", 4, "--json").json
    assert answer["n"] == 4
    assert answer["protocol"]["seed"] == 3 and "4x4" in answer["protocol"]["data"]


def test_out_writes_the_json_of_other_verbs(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "eval.json"
    called = hrm("eval", run, "--out", file, "--json")
    assert json.loads(file.read_text()) == called.json


def test_several_tries_and_checkpoints_are_chosen_from_and_the_oracle_is_named_apart(hrm: Hrm, run: Path) -> None:
    older = run / "checkpoints" / "00000005"
    found = hrm("eval", run, "--n", 6, "--attempts", 2, "--checkpoint", older, "--select", "confidence", "--json").json
    assert found["tries"] | {"oracle_any_right": 0} == {
        "attempts": 2, "models": 2, "vary": "start", "select": "confidence", "oracle_any_right": 0,
    }  # fmt: skip
    assert found["exact"] <= found["tries"]["oracle_any_right"] <= 1
    assert found["mean_segments"] == 2 * 2 * 3 and found["by_segment"] == []
    printed = hrm("eval", run, "--n", 6, "--attempts", 2)
    assert "oracle: some try right" in printed.out and "chosen without labels" in printed.out


def test_checkpoints_solve_together(hrm: Hrm, run: Path, puzzles: list[str]) -> None:
    older = run / "checkpoints" / "00000005"
    [one] = hrm("solve", run, puzzles[0], "--checkpoint", older, "--select", "first", "--json").json["results"]
    assert one["segments"] == 6 and one["reason"] == "limit"
    called = hrm("solve", run, puzzles[0], "--checkpoint", "maze-9x9")
    assert called.code == 2 and "trained on 'maze'" in called.err


def test_a_file_of_many_lines_is_answered_in_order_and_not_kept(
    hrm: Hrm, run: Path, puzzles: list[str], tmp_path: Path
) -> None:
    jobs, out = tmp_path / "jobs.txt", tmp_path / "out.jsonl"
    jobs.write_text("".join(f"{puzzles[n % 3]}\n" for n in range(1500)))
    answer = hrm("solve", run, "--jobs", jobs, "--out", out, "--halting", "fixed,max_segments=1", "--json").json
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert (answer["count"], len(answer["results"]), len(written)) == (1500, 1000, 1500)
    assert [one["input"] for one in written] == [puzzles[n % 3] for n in range(1500)]
    assert written[:1000] == answer["results"]


def test_answers_to_a_table_are_answers_and_no_more_is_claimed(hrm: Hrm, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("input,output\n" + "".join(f"{a}{b},{b}{a}\n" for a in "abc" for b in "abc"))
    assert hrm("data", "build", "table", "train_file=mine.csv", "held_out=0.4", "--out", "mine").code == 0
    small = (
        "model.size.width=16",
        "model.size.layers=1",
        "model.size.heads=2",
        "training.batch_size=4",
        "evaluation.max_segments=2",
    )
    trained = hrm("train", "hrm-sudoku-extreme", "data.path=mine", *small, "--steps", "20", "--out", "run", "--quiet")
    assert "well-formed answers" in trained.out and "task's rules" not in trained.out
    told = hrm("solve", "run", "ab", "ba").out
    assert told.count(" answered, 2 segments") == 2 and "2 answered; whether rightly, no rule says" in told
    assert [said["solved"] for said in hrm("solve", "run", "ab", "--json").json["results"]] == [None]


def test_where_no_line_is_a_puzzle_none_is_solved(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("12\nx\n")
    told = hrm("solve", run, "--jobs", "bad.txt")
    assert told.code == 1 and "0 of 0 solved" in told.out and "no rule" not in told.out
