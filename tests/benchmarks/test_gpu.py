"""benchmarks/gpu.py where there is no GPU: its words, its refusal, its table, and what of its code a CPU can run."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))

import gpu  # noqa: E402
from gpu_parts import kernels, models  # noqa: E402
from gpu_parts.table import Clock, Row, gathered, table, write  # noqa: E402

MACHINE = {"gpu": "made up", "torch": "2.13.0"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="here it would run")
def test_without_a_gpu_it_says_so_in_one_line_and_exits_2(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and not done.stdout
    assert len(done.stderr.strip().splitlines()) == 1 and "no CUDA device" in done.stderr
    assert not (tmp_path / "out").exists()


def test_its_words_are_read() -> None:
    given = gpu.parsed(["--seconds", "60", "--only", "parity", "model"])
    assert given.seconds == 60 and given.only == ["parity", "model"] and given.out.name == "results"
    assert gpu.parsed([]).seconds <= 480
    with pytest.raises(SystemExit) as stopped:
        gpu.parsed(["--only", "pairity"])
    assert stopped.value.code == 2


def test_every_section_is_there() -> None:
    assert all(callable(getattr(kernels, name, None) or getattr(models, name)) for name in gpu.SECTIONS)


def test_the_table_is_written_whole_and_says_what_failed(tmp_path: Path) -> None:
    found = {"parity": [Row("norm", 0.00123456, "largest error", True), Row("a|b", ok=False, note="too far")]}
    write(tmp_path / "new", MACHINE, found)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["gpu.json", "gpu.md"]
    kept = json.loads((tmp_path / "new" / "gpu.json").read_text())
    assert kept["machine"] == MACHINE and kept["sections"]["parity"][1]["ok"] is False
    lines = (tmp_path / "new" / "gpu.md").read_text().splitlines()
    assert lines[0] == "gpu made up, torch 2.13.0"
    assert lines[-2:] == [
        "| parity | norm | 0.001235 | largest error | ok |  |",
        "| parity | a/b |  |  | FAILED | too far |",
    ]
    assert len({line.count("|") for line in table(MACHINE, found).splitlines()[2:]}) == 1


def test_a_section_that_breaks_off_keeps_its_rows_and_one_out_of_time_stops() -> None:
    def breaking(clock: Clock) -> Iterator[Row]:
        yield Row("first", 1.0)
        raise RuntimeError("device lost\nat line 3")

    def slow(clock: Clock) -> Iterator[Row]:
        yield Row("first", 1.0)
        time.sleep(clock.left())
        yield Row("second", 2.0)
        yield Row("third", 3.0)

    rows = gathered(breaking, Clock.of(60))
    assert [row.what for row in rows] == ["first", "broken off"]
    assert rows[1].ok is False and rows[1].note == "RuntimeError: device lost"
    assert [row.what for row in gathered(slow, Clock.of(0.05))] == ["first", "second", "broken off"]
    assert gathered(slow, Clock.of(-1)) == [Row("not begun", note="out of time")]


@pytest.fixture
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (kernels, models):
        monkeypatch.setattr(module, "DEVICE", torch.device("cpu"))
    monkeypatch.setattr(models, "BATCH", 2)
    monkeypatch.setattr(kernels, "WIDTH", 64)
    monkeypatch.setattr(kernels, "HIDDEN", 96)


def test_the_parity_checks_hold_for_twins_and_find_a_kernel_that_is_wrong(
    on_the_cpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list(kernels.parity(Clock.of(60)))
    assert len(rows) == 3 * 4 + 1 and all(row.ok for row in rows), rows
    real = kernels.gated.swiglu
    monkeypatch.setattr(kernels.gated, "swiglu", lambda gate, up: real(gate, up) * 1.1)
    wrong = {row.what for row in kernels.parity(Clock.of(60)) if not row.ok}
    assert wrong == {f"swiglu {kind}" for kind in ("float32", "bfloat16", "float16")}


@pytest.mark.parametrize("name", ["hrm-sudoku-extreme", "sudoku-9x9"])
def test_a_step_of_a_model_at_work_leaves_gradients(name: str, on_the_cpu: None) -> None:
    config, model, carry = models.at_work(name, width=32)
    models.step(config, model, carry)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.networks.parameters())
    optimisers = models.build_optimisers(config.training.optimiser, model)
    before = next(model.networks.parameters()).clone()
    models._stepping(config, model, False, carry, optimisers)()
    assert not torch.equal(before, next(model.networks.parameters()))


def test_implementations_of_attention_that_do_not_run_are_told_apart(on_the_cpu: None) -> None:
    query = torch.randn(1, 2, 5, 8, requires_grad=True)
    assert models._runs(query, None, models.SDPBackend.MATH)
    assert not models._runs(query, None, models.SDPBackend.CUDNN_ATTENTION)
