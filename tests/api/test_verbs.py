"""The verbs as Python functions."""

import inspect as python_inspect
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from hrmlab import api
from hrmlab.api import extras
from hrmlab.errors import ConfigError, DataError
from hrmlab.results import Inspection, Result


@pytest.mark.parametrize("name", api.__all__)
def test_every_verb_is_a_documented_function(name: str) -> None:
    function = getattr(api, name)
    assert python_inspect.isfunction(function)
    assert function.__doc__


def test_an_unknown_verb_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        api.trian  # noqa: B018


def test_doctor_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> bool:
        raise RuntimeError("the driver is gone")

    monkeypatch.setattr("torch.backends.cuda.is_built", broken)
    found = api.doctor()
    engines = {engine.name: engine for engine in found.engines}
    assert engines["eager"].available
    assert (engines["cuda"].available, engines["cuda"].why) == (False, "RuntimeError: the driver is gone")
    assert "the driver is gone" in found.why_device


def test_doctor_says_why_it_takes_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    monkeypatch.setattr("torch.backends.mps.is_built", lambda: True)
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    found = api.doctor()
    assert found.device == "mps" and found.why_device.startswith("Apple GPU; no CUDA: ")
    (gpu,) = (extra for extra in found.extras if extra.name == "gpu")
    assert not gpu.available and "none for Darwin" in gpu.why


@pytest.mark.parametrize(
    ("packages", "available", "why"),
    [
        ({"fastapi": "0.165.0", "uvicorn": "0.54.0", "prometheus-client": "0.26.0"}, True, "uvicorn 0.54.0"),
        ({"fastapi": "0.165.0", "uvicorn": "0.54.0"}, False, "wants prometheus-client: pip install 'hrm-lab[web]'"),
        (
            {"fastapi": "0.9.0", "uvicorn": "0.54.0", "prometheus-client": "0.26.0"},
            False,
            "wants fastapi newer than 0.9.0: pip install 'hrm-lab[web]'",
        ),
    ],
)
def test_doctor_says_what_an_extra_wants(
    monkeypatch: pytest.MonkeyPatch, packages: dict[str, str], available: bool, why: str
) -> None:
    def version(name: str) -> str:
        if name not in packages:
            raise PackageNotFoundError(name)
        return packages[name]

    monkeypatch.setattr("hrmlab.api.extras.version", version)
    (web,) = (extra for extra in extras.extras() if extra.name == "web")
    assert web.available is available and web.why.endswith(why)


def test_doctor_says_why_there_is_no_compiled_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HRMLAB_NO_COMPILER", "1")
    (engine,) = (engine for engine in api.doctor().engines if engine.name == "c++ sudoku")
    assert not engine.available and "HRMLAB_NO_COMPILER" in engine.why


def test_catalog_of_one_kind() -> None:
    assert {item.kind for item in api.catalog("block").items} == {"block"}
    everything = api.catalog().items
    assert len({(item.kind, item.name) for item in everything}) == len(everything)


def inspected(target: str, *overrides: str) -> Inspection:
    answer = api.inspect(target, overrides)
    assert isinstance(answer, Result)
    return answer


def test_inspect_says_what_each_row_costs() -> None:
    found = api.inspect("hrm-sudoku-6x6")
    rows = found.schedule
    assert [row["grad"] for row in rows] == [False] * 4 + [True] * 2
    assert found.without_gradient == pytest.approx(4 / 6)  # both networks are alike
    assert all((row["activations"] > 0) == row["grad"] for row in rows)
    assert found.memory["activations"] >= sum(row["activations"] for row in rows) > 0.5 * found.memory["activations"]
    assert sum(row["flops"] for row in rows) == sum(
        found.flops[f"network {name}"] * calls["forward"] for name, calls in found.calls.items()
    )


def test_inspect_draws_the_schedule(tmp_path: Path) -> None:
    file = tmp_path / "pictures" / "schedule.svg"
    found = api.inspect("hrm-sudoku-6x6", ["model.schedule=levels"], picture=file)
    drawing = file.read_text()
    assert found.picture == str(file) and drawing.count("<svg") == 1
    assert all(f">{word}<" in drawing for word in ("level0", "level2", "input", "answer", "without gradient", "13"))


def test_inspect_counts_as_the_papers_do() -> None:
    trm = inspected("trm-sudoku-extreme")
    assert trm.calls == {"high": {"forward": 21, "grad": 7}}
    hrm = inspected("hrm-sudoku-extreme")
    assert hrm.calls == {"low": {"forward": 4, "grad": 1}, "high": {"forward": 2, "grad": 1}}
    parts = sum(count for name, count in hrm.parameters.items() if name != "total" and "sparse" not in name)
    assert parts == hrm.parameters["total"]


@pytest.mark.parametrize("name", ["sudoku-9x9", "hrm-sudoku-6x6", "maze-9x9", "hrm-sudoku-extreme", "trm-maze-hard"])
def test_presets_deserve_no_warning(name: str) -> None:
    assert inspected(name).warnings == []


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["evaluation.max_segments=2"], "evaluation stops after 2"),
        (["halting=fixed"], "untrained"),
        (["halting=fixed", "evaluation=correctness"], "never trains the halting head"),
        (["model.halting_head.readout=first"], "readout=mean"),
        (["model.embedding=tokens", "model.block=post_norm"], "cannot tell cells apart"),
        (["data.train=3"], "more puzzles than"),
    ],
)
def test_what_is_probably_not_meant_is_said(overrides: list[str], words: str) -> None:
    assert any(words in warning for warning in inspected("sudoku-4x4", *overrides).warnings)


def test_an_incoherent_schedule_says_every_reason() -> None:
    with pytest.raises(ConfigError, match=r"not coherent.*no gradient reaches network 'low'"):
        inspected("hrm-sudoku-6x6", "model.schedule.grad_window=1")


def test_own_tables_become_data_sets_and_runs(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("input,output\n" + "".join(f"{a}{b},{b}{a}\n" for a in "abcd" for b in "abcd"))
    made = api.data_build("table", csv=table, out=tmp_path / "set", quiet=True)
    assert (made.train, made.test) == (14, 2)
    assert api.data_check(made.path).ok
    overrides = [
        f"data.path={made.path}", "model.embedding=tokens", "model.block=post_norm", "model.positions=learned",
        "model.size.width=8", "model.size.layers=1", "training.batch_size=4", "evaluation.max_segments=2",
    ]  # fmt: skip
    done = api.train("sudoku-4x4", overrides, out=tmp_path / "run", steps=2, device="cpu", quiet=True)
    assert done.evaluation is not None and done.evaluation.n == 2
    solved = api.solve(done.run, ["ab"], device="cpu", quiet=True).results[0]
    assert solved.input == "ab" and solved.segments == 2


def test_public_csv_files_are_converted(tmp_path: Path) -> None:
    source = Path(__file__).parent.parent / "golden" / "datasets" / "sudoku_csv"
    made = api.data_build("hrm-sudoku-extreme", csv=source, out=tmp_path / "set", train=2, augmentations=3, quiet=True)
    assert made.train == 8
    assert api.data_check(made.path).ok
    with pytest.raises(DataError, match="holds a data set already"):
        api.data_build("sudoku", csv=source, out=tmp_path / "set", quiet=True)


def test_show_of_a_data_set_stops_at_its_end(tmp_path: Path) -> None:
    api.data_build("maze", ["rows=3", "columns=3"], out=tmp_path / "m", train=3, test=1, quiet=True)
    view = api.data_show(tmp_path / "m", split="test", n=5)
    assert view.n == 1
    assert set(view.puzzles[0]["output"]) >= set("SG")
