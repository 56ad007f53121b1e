"""The command line is a contract: names, options and JSON keys. Changing one is a deliberate act."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hrmlab.cli.arguments import COMMON
from hrmlab.cli.verbs import VERBS

Hrm = Callable[..., Any]

COMMON_FLAGS = {"--json", "--quiet", "--seed", "--device", "--threads", "--import", "--out"}

TRIES = {"--attempts", "--vary", "--select", "--checkpoint"}

ARGUMENTS = {
    "demo": ([], {"--preset", "--seconds", "--steps"}),
    "doctor": ([], set()),
    "catalog": (["KIND"], set()),
    "completion": (["SHELL"], set()),
    "data build": (
        ["TASK", "KEY=VALUE"],
        {"--train", "--test", "--csv", "--hub", "--augmentations", "--symmetries", "--replace"},
    ),
    "data check": (["DIR"], set()),
    "data show": (["DIR"], {"--split", "--n"}),
    "train": (["PRESET", "KEY=VALUE"], {"--seconds", "--steps", "--resume", "--watch", "--keep"}),
    "eval": (["RUN"], {"--data", "--n", "--halting", "--engine", *TRIES}),
    "solve": (["RUN", "PUZZLE"], {"--jobs", "--show", "--vector", "--halting", "--engine", *TRIES}),
    "serve": (
        ["RUN"],
        {
            "--host",
            "--port",
            "--token-file",
            "--runs",
            "--processes",
            "--slots",
            "--queue",
            "--batch",
            "--timeout",
            "--halting",
            "--engine",
        },
    ),
    "halting": (["RUN"], {"--n", "--segments", "--target-accuracy-loss", "--also"}),
    "halting tune": (["RUN"], {"--n", "--segments", "--target-accuracy-loss", "--rule"}),
    "bench": (["TARGET", "KEY=VALUE"], {"--engines", "--seconds", "--against", "--explain"}),
    "parity": (["FILE"], {"--compile", "--dtype"}),
    "import": (["PATH", "KEY=VALUE"], {"--data", "--compat"}),
    "import-config": (["FILE", "KEY=VALUE"], {"--compat"}),
    "export": (["RUN"], {"--format"}),
    "inspect": (["TARGET", "KEY=VALUE"], set()),
    "compare": (["A", "B"], set()),
    "transfer": (["A", "B", "KEY=VALUE"], set()),
    "adapt": (["RUN"], {"--examples", "--test", "--seconds", "--steps", "--lr", "--start"}),
    "new": (["KIND", "NAME"], set()),
    "check": (["NAME"], {"--kind"}),
    "diagnose": (["TARGET", "KEY=VALUE"], {"--preset", "--only", "--n", "--segments", "--strict", "--watch"}),
    "ablate": (["STUDY", "KEY=VALUE"], {"--quick", "--jobs", "--engine", "--seeds", "--seconds", "--steps"}),
    "tune": (
        ["TASK", "KEY=VALUE"],
        {
            "--seconds",
            "--steps",
            "--trials",
            "--jobs",
            "--engine",
            "--seeds",
            "--storage",
            "--max-params",
            "--max-flops",
            "--max-latency-ms",
            "--max-memory-mb",
        },
    ),
    "report": (["RUN"], {"--preset", "--n", "--segments"}),
    "specialist": (
        ["RUN", "PROBLEM"],
        {
            "--proposals",
            "--seeds",
            "--steps",
            "--n",
            "--no-train",
            "--model",
            "--url",
            "--budget",
            "--yes",
            "--allow-unsandboxed",
        },
    ),
    "specialist install": (["HOST"], set()),
    "propose": (["TARGET", "KEY=VALUE"], {"--because", "--predict", "--aim", "--plugin", "--allow-unsandboxed"}),
    "patch": (["FORK", "EDITS"], {"--test", "--because", "--predict", "--allow-unsandboxed"}),
    "verify": (["DIR"], {"--seeds", "--steps", "--allow-unsandboxed"}),
    "mcp": ([], {"--root", "--allow-write", "--port"}),
    "evidence": (["DIR"], {"--id", "--mend"}),
}

EVALUATION = {
    "n", "exact", "exact_interval", "cell", "valid", "valid_interval", "mean_segments", "p95_segments", "by_segment",
    "seconds", "puzzles_per_second", "protocol", "passes", "voted_puzzles", "tries",
}  # fmt: skip
PROTOCOL = {
    "task", "data", "split", "seed", "halting", "segments", "weights", "device", "dtype", "versions", "engine",
}  # fmt: skip
SOLUTION = {"input", "output", "solved", "segments", "confidence", "reason", "error"}


def test_the_verbs_and_what_they_take() -> None:
    assert {flag.flag for flag in COMMON} == COMMON_FLAGS
    came = {v.name: ([p.name for p in v.positionals], {option.flag for option in v.options}) for v in VERBS}
    assert came == ARGUMENTS


@pytest.mark.parametrize("verb", sorted(ARGUMENTS))
def test_every_verb_explains_itself(hrm: Hrm, verb: str) -> None:
    called = hrm(*verb.split(), "--help")
    assert called.code == 0
    assert all(flag in called.out for flag in ARGUMENTS[verb][1] | COMMON_FLAGS)


def test_doctor(hrm: Hrm) -> None:
    answer = hrm("doctor", "--json").json
    assert set(answer) == {
        "versions", "device", "why_device", "devices", "threads", "why_threads", "memory", "engines", "extras",
    }  # fmt: skip
    assert {engine["name"] for engine in answer["engines"]} == {
        "reference", "eager", "compiled", "captured", "fused kernels", "cuda", "mps", "c++ sudoku",
    }  # fmt: skip
    told = answer["engines"] + answer["extras"]
    assert all(set(one) == {"name", "available", "why"} and one["why"] for one in told)
    assert answer["device"] in {"cpu", "cuda", "mps"} and answer["why_device"]


def test_catalog(hrm: Hrm) -> None:
    answer = hrm("catalog", "--json").json
    assert set(answer) == {"items"}
    assert all(set(item) == {"kind", "name", "summary", "source"} for item in answer["items"])
    assert {"preset", "task", "schedule", "block", "halting", "loss", "optimiser"} <= {
        i["kind"] for i in answer["items"]
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(hrm: Hrm, shell: str) -> None:
    answer = hrm("completion", shell, "--json").json
    assert set(answer) == {"shell", "script", "keep"}
    assert hrm("completion", shell).out.strip() == answer["script"].strip()
    assert f"hrm completion {shell}" in answer["keep"]


def test_data_build_and_check_and_show(hrm: Hrm, tmp_path: Path) -> None:
    path = tmp_path / "made"
    built = hrm(
        "data", "build", "sudoku", "box_rows=2", "box_cols=2", "--train", 6, "--test", 2, "--out", path, "--json"
    )
    assert set(built.json) == {"path", "train", "test", "seconds", "protocol"}
    assert (built.json["train"], built.json["test"]) == (6, 2)
    assert set(hrm("data", "check", path, "--json").json) == {"path", "ok", "problems"}
    shown = hrm("data", "show", path, "--json").json
    assert set(shown) == {"path", "protocol", "split", "n", "puzzles"}
    assert set(shown["puzzles"][0]) == {"input", "output", "rating", "drawing", "answer"}


def test_train(hrm: Hrm, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    called = hrm("train", "sudoku-4x4", *tiny_options, "--steps", 2, "--out", tmp_path / "r", "--json", "--quiet")
    answer = called.json
    assert called.code == 0 and not called.err
    assert set(answer) == {
        "run", "steps", "seconds", "exact", "cell", "mean_segments", "interrupted", "resume", "evaluation", "lost",
    }  # fmt: skip
    assert set(answer["evaluation"]) == EVALUATION


def test_eval(hrm: Hrm, run: Path) -> None:
    answer = hrm("eval", run, "--json").json
    assert set(answer) == EVALUATION
    assert set(answer["protocol"]) == PROTOCOL
    assert len(answer["by_segment"]) == answer["protocol"]["segments"]


def test_solve(hrm: Hrm, run: Path, puzzles: list[str]) -> None:
    answer = hrm("solve", run, puzzles[0], "--json").json
    assert set(answer) == {"results", "puzzles_per_second", "out", "count", "solved", "errors"}
    assert set(answer["results"][0]) == SOLUTION


def test_inspect(hrm: Hrm) -> None:
    answer = hrm("inspect", "hrm-sudoku-6x6", "--json").json
    assert set(answer) == {
        "name", "task", "schedule", "answer", "calls", "parameters", "flops", "memory", "warnings", "table",
        "without_gradient", "picture",
    }  # fmt: skip
    assert set(answer["flops"]) == {"segment", "training_step", "look_ahead", "network low", "network high"}
    assert set(answer["memory"]) == {
        "weights", "gradients", "optimiser", "average", "puzzle_table", "state", "activations", "training", "inference",
    }  # fmt: skip
    assert set(answer["schedule"][0]) == {"target", "sources", "network", "grad", "flops", "activations"}
    assert answer["parameters"]["total"] > 0


def test_inspect_writes_a_picture_or_its_json(hrm: Hrm, tmp_path: Path) -> None:
    for name, start in (("schedule.svg", "<?xml"), ("schedule.json", "{")):
        hrm("inspect", "hrm-sudoku-6x6", "--out", tmp_path / name)
        assert (tmp_path / name).read_text().startswith(start)


def test_demo(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    called = hrm("demo", "--preset", run / "config.json", "--steps", 2, "--out", tmp_path / "d", "--json")
    assert {"run", "exact", "seconds", "report"} <= set(called.json)
    assert Path(called.json["report"]).is_file()


def test_a_mistake_is_one_json_object_too(hrm: Hrm) -> None:
    called = hrm("eval", "nowhere", "--json")
    assert called.code == 2
    assert set(called.json) == {"error"}
    assert called.json["error"] in called.err


def test_diagnose(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    only = ("--only", "forward_residual", "--only", "gradient_path")
    called = hrm("diagnose", run, *only, "--out", tmp_path, "--json")
    answer = called.json
    assert set(answer) == {
        "target", "preset", "findings", "checked", "not_checked", "measurements", "about", "seconds", "files",
    }  # fmt: skip
    assert set(answer["measurements"][0]) == {
        "probe", "code", "question", "definition", "source", "caveats", "verdict", "why", "scalars", "table",
        "thresholds", "findings", "n", "seconds",
    }  # fmt: skip
    assert sorted(answer["checked"]) == ["forward_residual", "gradient_path"]
    assert Path(answer["files"][0]).is_file()


def test_report(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    called = hrm("report", run, "--preset", "economy", "--n", 8, "--out", tmp_path / "r", "--json", "--quiet")
    answer = called.json
    assert set(answer) == {"html", "json", "findings", "reused", "puzzles", "bytes", "left_out", "seconds"}
    assert set(answer["findings"]) == {"fail", "warn", "info"}
    assert Path(answer["html"]).is_file() and Path(answer["json"]).is_file()


def test_new_and_check(hrm: Hrm, tmp_path: Path) -> None:
    written = hrm("new", "halting", "contract_rule", "--out", tmp_path / "parts", "--json").json
    assert set(written) == {"kind", "name", "files", "next"}
    assert [Path(file).name for file in written["files"]] == ["contract_rule.py", "test_contract_rule.py"]
    answer = hrm("check", "fixed", "--json")
    assert answer.code == 0 and set(answer.json) == {"ok", "kind", "name", "checks"}
    assert all(set(check) == {"name", "ok", "why"} and check["why"] for check in answer.json["checks"])


def test_compare_and_transfer(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    compared = hrm("compare", run, "sudoku-4x4", "--json").json
    assert set(compared) == {"a", "b", "config", "schedule", "weights", "cost"}
    assert set(compared["weights"]) == {"kept", "missing", "reshaped", "dropped"}
    assert all(set(one) == {"key", "a", "b", "words"} for one in compared["config"])
    assert all(set(cost) == {"a", "b", "ratio"} for cost in compared["cost"].values())
    moved = hrm("transfer", run, run, "--out", tmp_path / "moved", "--json", "--quiet").json
    assert set(moved) == {"run", "weights", "numbers", "moved", "notes"}
    assert moved["moved"] == moved["numbers"] > 0
