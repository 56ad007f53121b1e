"""`parity`, `import`, `import-config` and `export` as they are typed."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from hrmlab import api
from hrmlab.cli.verbs import VERBS

Hrm = Callable[..., Any]
ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
SMALL = GOLDEN / "trm_attention.safetensors"
TINY_HRM = (
    "model.embedding=tokens", "model.block=post_norm", "model.positions=rotary", "model.schedule=hrm",
    "model.halting_head.readout=first", "model.size.round_to=256", "model.size.width=8", "model.size.layers=1",
    "model.size.heads=2", "halting=q_learning", "halting.max_segments=2", "evaluation=fixed",
    "evaluation.max_segments=2", "training.batch_size=4", "training.optimiser=adam_atan2",
)  # fmt: skip


@pytest.fixture(scope="session")
def tiny_hrm(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A run that the reference could have made; not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "hrm"
    api.train("sudoku-4x4", [*TINY_HRM, f"data.path={data}"], out=path, steps=2, device="cpu", quiet=True)
    return path


def mistake(called: Any, *parts: str) -> None:
    assert called.code == 2 and called.out == "", called
    assert called.err.startswith("hrm: ") and len(called.err.splitlines()) == 1, called.err
    for part in parts:
        assert part in called.err


def test_parity_passes_and_says_how_closely(hrm: Hrm) -> None:
    called = hrm("parity", SMALL, "--quiet")
    assert called.code == 0 and called.out.rstrip().endswith("pass")
    assert "trm_attention " in called.out and ".safetensors" not in called.out


def test_names_of_files_are_not_cut(hrm: Hrm, tmp_path: Path) -> None:
    for name in ("a_recording_of_a_certain_length_1", "a_recording_of_a_certain_length_2"):
        shutil.copy(SMALL, tmp_path / f"{name}.safetensors")
    called = hrm("parity", tmp_path, "--quiet")
    assert called.code == 0
    assert "a_recording_of_a_certain_length_1" in called.out and "a_recording_of_a_certain_length_2" in called.out


def test_parity_as_json_repeats_to_the_last_bit(hrm: Hrm) -> None:
    first, again = (hrm("parity", SMALL, "--json", "--quiet").json for _ in range(2))
    assert set(first) == {"ok", "files", "protocol"} and first["ok"] is True
    assert set(first["files"][0]) == {"file", "ok", "worst", "share", "error"}
    assert first["protocol"]["dtype"] == "float32" and first["protocol"]["tolerances"]["weights"]["atol"] == 2e-4
    assert first == again


def test_a_perturbed_file_fails_with_code_one(hrm: Hrm, tmp_path: Path) -> None:
    with safe_open(SMALL, "pt") as file:
        about, found = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    for key in ("init/inner.L_level.layers.0.mlp.down_proj.weight", "train/1/out/logits"):
        copy = {name: tensor.clone() for name, tensor in found.items()}
        copy[key].view(-1)[0] += 0.1
        path = tmp_path / "perturbed.safetensors"
        save_file(copy, path, about)
        called = hrm("parity", path, "--quiet")
        assert called.code == 1 and "FAIL: 1 of 1 files" in called.out
        called = hrm("parity", path, SMALL, "--quiet", "--json")
        assert called.code == 1 and [file["ok"] for file in called.json["files"]] == [False, True]


@pytest.mark.parametrize("content", [b"", b"text", SMALL.read_bytes()[:5000]])
def test_a_file_that_is_none_fails_in_a_line(hrm: Hrm, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    called = hrm("parity", path, "--quiet")
    assert called.code == 1 and called.err == ""
    assert len([line for line in called.out.splitlines() if "no safetensors file" in line]) == 1
    assert called.out.rstrip().endswith("FAIL: 1 of 1 files")


def test_parity_in_bfloat16(hrm: Hrm) -> None:
    called = hrm("parity", SMALL, "--dtype", "bfloat16", "--json", "--quiet")
    assert called.code == 0 and called.json["protocol"]["tolerances"]["loss"] == 0.05


def test_mistakes_of_parity(hrm: Hrm, tmp_path: Path) -> None:
    mistake(hrm("parity"), "no golden vectors came")
    mistake(hrm("parity", tmp_path), "no golden vectors came")
    mistake(hrm("parity", SMALL, "--dtype", "float8"), "invalid choice: 'float8'")
    called = hrm("parity", tmp_path / "none.safetensors", "--quiet", "--json")
    assert called.code == 1 and "no file at" in called.json["files"][0]["error"]


def test_compiling_without_a_compiler_is_refused(hrm: Hrm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hrmlab.core.compiling.has_compiler", lambda model: False)
    mistake(hrm("parity", SMALL, "--compile", "--quiet"), "C++ compiler")


def test_import_config_then_inspect(hrm: Hrm) -> None:
    words = ["data_path=data/sudoku-extreme-1k-aug-1000", "epochs=20000", "lr=1e-4", "puzzle_emb_lr=1e-4"]
    called = hrm("import-config", "hrm", *words, "--json")
    assert called.code == 0 and set(called.json) == {"path", "keys", "parameters", "notes"}
    assert called.json["parameters"] == 27_275_266
    assert "27,275,266 parameters" in hrm("import-config", "hrm", *words).out
    assert hrm("inspect", "imported.json", "--json").json["parameters"]["total"] == 27_275_266
    assert json.loads(Path("imported.json").read_text())["training"]["optimiser"]["lr"] == 1e-4
    mistake(hrm("import-config", "hrm", *words, "arch.hiden_size=3"), "did you mean 'arch.hidden_size'")
    mistake(hrm("import-config", "nowhere"), "no configuration at nowhere")
    mistake(hrm("import-config", "hrm", *words, "--out", "x.txt"), ".json")
    mistake(hrm("import-config", "hrm", *words, "--out", "no/such/x.json"), "cannot write")


def test_a_translated_configuration_trains(hrm: Hrm, data: Path) -> None:
    words = [
        f"data_path={data}", "arch.hidden_size=16", "arch.num_heads=2", "arch.H_layers=1", "arch.L_layers=1",
        "arch.halt_max_steps=2", "global_batch_size=4", "epochs=1", "eval_interval=1", "lr_warmup_steps=2",
    ]  # fmt: skip
    for compat in ([], ["--compat", "sapient"]):
        assert hrm("import-config", "hrm", *words, "--out", "small.json", *compat).code == 0
        answer = hrm("train", "small.json", "--quiet", "--json").json
        assert answer["steps"] == 7 and answer["evaluation"]["n"] == 10


def test_from_a_run_to_the_reference_and_back(hrm: Hrm, tiny_hrm: Path, puzzles: list[str], data: Path) -> None:
    exported = hrm("export", tiny_hrm, "--out", "theirs", "--json").json
    assert exported["format"] == "reference" and exported["files"] == ["step_2", "all_config.yaml"]
    state = torch.load("theirs/step_2", weights_only=True)
    assert sorted(state) == exported["keys"] and all(key.startswith("_orig_mod.model.inner.") for key in state)
    called = hrm("import", "theirs", "--out", "ours")
    assert called.code == 0 and f"next: hrm eval {'ours'}" in called.out
    assert hrm("eval", "ours", "--quiet", "--json").json["n"] == 10
    assert hrm("solve", "ours", puzzles[0], "--json").json["results"][0]["segments"] == 2
    hrm("export", "ours", "--out", "again")
    again = torch.load("again/step_2", weights_only=True)
    assert state.keys() == again.keys() and all(torch.equal(state[key], again[key]) for key in state)
    mistake(hrm("import", "theirs", "--out", "ours"), "is not empty")
    mistake(hrm("import", "nowhere"), "no checkpoint at nowhere")
    mistake(hrm("import", "theirs", "arch.hidden_size=16", "--out", "x"), "does not fit the model")


def test_a_hub_folder_is_a_run(hrm: Hrm, run: Path, puzzles: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    called = hrm("export", run, "--format", "hub", "--out", "hub", "--json")
    assert sorted(called.json["files"]) == sorted(path.name for path in Path("hub").iterdir())
    assert {"model.safetensors", "config.json", "README.md", "results.json"} == set(called.json["files"])
    scores = [hrm("eval", place, "--quiet", "--json").json for place in (run, "hub", "hub/model.safetensors")]
    assert len({(score["exact"], score["cell"], score["n"]) for score in scores}) == 1
    answers = [hrm("solve", place, puzzles[0], "--json").json["results"] for place in (run, "hub")]
    assert answers[0] == answers[1]
    assert hrm("inspect", "hub", "--json").code == 0
    for name, place in (("from-folder", "hub"), ("from-file", "hub/model.safetensors"), ("from-hub", "owner/name")):
        monkeypatch.setattr("huggingface_hub.snapshot_download", lambda repo_id: "hub")
        assert hrm("import", place, "--out", name).code == 0
        assert hrm("eval", name, "--quiet", "--json").json["cell"] == scores[0]["cell"]
    mistake(hrm("import", "hub", "--out", "x", "--compat", "sapient"), "taken as it is", "--compat")
    Path("hub/config.json").write_text('{"model_type": "llama"}')
    mistake(hrm("import", "hub", "--out", "x"), "hub/config.json", "model_type")


def test_the_model_card(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    hrm("export", run, "--format", "hub", "--out", "hub")
    card, results = Path("hub/README.md").read_text(), json.loads((run / "results.json").read_text())
    assert card.startswith("---\nlibrary_name: hrm-lab\n")
    assert f"{results['exact']:.1%} of {results['n']:,} held-out puzzles" in card
    assert results["protocol"]["data"] in card and "float32" in card
    verbs = {verb.name for verb in VERBS}
    assert set(re.findall(r"hrm ([a-z-]+) ", card.replace("hrm lab", ""))) <= verbs
    copy = tmp_path / "unevaluated"
    shutil.copytree(run, copy)
    (copy / "results.json").unlink()
    hrm("export", copy, "--format", "hub", "--out", "bare")
    assert "has no evaluation" in Path("bare/README.md").read_text() and not Path("bare/results.json").exists()
    for content in ("{", "[]", '{"protocol": {}}'):
        (copy / "results.json").write_text(content)
        mistake(hrm("export", copy, "--format", "hub", "--out", "x"), "results.json is damaged")


def test_mistakes_of_export(hrm: Hrm, run: Path, tiny_hrm: Path) -> None:
    mistake(hrm("export", run), "--out PATH")
    mistake(hrm("export", "nowhere", "--out", "x"), "no run at 'nowhere'")
    mistake(hrm("export", run, "--out", "x"), "no schedule 'single_state'")
    mistake(hrm("export", tiny_hrm, "--format", "onnx", "--out", "x"), ".onnx")
    mistake(hrm("export", run, "--format", "gguf", "--out", "x"), "invalid choice: 'gguf'")
    assert not Path("x").exists()
    Path("taken").mkdir()
    Path("taken/file").touch()
    mistake(hrm("export", run, "--format", "hub", "--out", "taken"), "is not empty")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["model.size.round_to=8"], "model.size.round_to=8, there 256"),
        (["model.halting_head.readout=mean"], "model.halting_head.readout='mean', there 'first'"),
        (["model.schedule.grad_window=3"], "no schedule 'hrm' like this one"),
    ],
)
def test_a_model_beyond_the_reference_is_named(hrm: Hrm, data: Path, words: list[str], part: str) -> None:
    api.train("sudoku-4x4", [*TINY_HRM, *words, f"data.path={data}"], out="other", steps=1, device="cpu", quiet=True)
    mistake(hrm("export", "other", "--out", "x"), part)


def test_where_a_head_began_does_not_keep_it_from_the_reference(hrm: Hrm, data: Path) -> None:
    words = [*TINY_HRM, "model.halting_head.bias=-3", f"data.path={data}"]
    api.train("sudoku-4x4", words, out="begun", steps=1, device="cpu", quiet=True)
    assert hrm("export", "begun", "--out", "theirs").code == 0
    bias = torch.load("theirs/step_1", weights_only=True)["_orig_mod.model.inner.q_head.bias"]
    assert bias.tolist() == pytest.approx([-3, -3], abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["tiny_hrm", "run"])
def test_onnx_computes_the_same(hrm: Hrm, request: pytest.FixtureRequest, which: str) -> None:
    """In a session of our own, with another batch size and over several segments."""
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from hrmlab.api.targets import find_run
    from hrmlab.core.carry import Batch

    folder = request.getfixturevalue(which)
    called = hrm("export", folder, "--format", "onnx", "--out", "model.onnx", "--json")
    assert called.code == 0 and called.json["files"] == ["model.onnx"]
    session = runtime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    model = find_run(folder).load(torch.device("cpu"))
    inputs = torch.randint(0, model.spec.vocab_size, (5, model.spec.seq_len))
    batch = Batch(inputs, inputs, torch.zeros(5, dtype=torch.int64))
    states = model.empty_carry(batch).states
    theirs = {f"state_{level}": state.numpy() for level, state in states.items()}
    for _ in range(3):
        with torch.no_grad():
            out = model(states, batch)
        states = out.states
        given = {"inputs": inputs.numpy(), "identifiers": batch.identifiers.numpy(), **theirs}
        found = dict(zip([o.name for o in session.get_outputs()], session.run(None, {
            i.name: given[i.name] for i in session.get_inputs()}), strict=True))  # fmt: skip
        theirs = {f"state_{level}": found[f"new_{level}"] for level in states}
        assert np.abs(found["logits"] - out.logits.numpy()).max() < 1e-4
        assert np.abs(found["values"] - out.values.numpy()).max() < 1e-4


def test_onnx_without_its_packages(hrm: Hrm, tiny_hrm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    mistake(hrm("export", tiny_hrm, "--format", "onnx", "--out", "m.onnx"), "pip install 'hrm-lab[export]'")
    assert not Path("m.onnx").exists()


def test_a_graph_that_cannot_be_written(hrm: Hrm, tiny_hrm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no such operator\nand more")

    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(torch.onnx, "export", fails)
    mistake(hrm("export", tiny_hrm, "--format", "onnx", "--out", "m.onnx"), "no such operator")
    assert list(Path().iterdir()) == []


def test_every_verb_that_messages_name_exists() -> None:
    verbs = {verb.name for verb in VERBS}
    sources = [*(ROOT / "src/hrmlab/interop").glob("*.py"), *(ROOT / "src/hrmlab/api").glob("*.py")]
    named = {name for file in sources for name in re.findall(r"`hrm ((?:data )?[a-z-]+)", file.read_text())}
    assert named and named <= verbs
