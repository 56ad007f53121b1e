"""The reference's YAML: read as data, whatever tags, aliases and interpolations stand in it."""

from pathlib import Path

import pytest
from fuzz.damage import damaged, damaged_text
from fuzz.harness import fuzzed, judge
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.interop import yaml_config
from hrmlab.interop.translate import arch, run_config

YAML = b"""defaults:
  - arch: hrm_v1
  - _self_
data_path: data/sudoku-extreme-1k-aug-1000
global_batch_size: 768
epochs: 20000
lr: 1e-4
lr_min_ratio: 1.0
lr_warmup_steps: 2000
arch:
  hidden_size: 64
  num_heads: 4
  puzzle_emb_ndim: ${.hidden_size}
  loss: {loss_type: softmax_cross_entropy}
weight_decay: 0.1
beta1: 0.9
beta2: 0.95
seed: 0
"""
BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter + 1, letter + 1, b", ".join([b"*%c" % letter] * 9)) for letter in range(97, 106)
)
ODD = (
    "!!python/object/apply:os.system ['touch sentinel']", "!!python/name:os.system",
    "!!python/object/new:os.system [id]",
    "${oc.env:HRM_FUZZ_SECRET}", "${oc.decode:${oc.env:HRM_FUZZ_SECRET}}", "${env:HRM_FUZZ_SECRET}", "${oc.create:{}}",
    "${arch}", "${seed}", "${nowhere}", "${", "${${seed}}", "???", "*a", "&a [*a]", "{a: b", "[" * 500, ".nan", ".inf",
    "1e999", "9" * 5000, "2001-01-01", "0x" + "f" * 400, "!!binary AAAA", "!!set {a, b}", "? [a, b]\n  : c", "'\\x00'",
    "-1", "''", "true", "null", "[1, 2]", "{a: 1}", "190:20:30:00", "1_000", "<<: 1",
)  # fmt: skip


def assigned() -> st.SearchStrategy[list[str]]:
    keys = (
        "lr",
        "arch",
        "arch.hidden_size",
        "data_path",
        "data_paths",
        "epochs",
        "arch.loss",
        "arch.name",
        "run_name",
        "seed",
    )
    odd = st.builds("{}={}".format, st.sampled_from(keys), st.sampled_from(ODD) | st.text(max_size=6))
    return st.lists(odd | damaged_text("arch.L_layers=2", "+ema=True", "epochs=10"), max_size=2)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    lines = YAML.decode().splitlines()
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(3, len(lines) - 1))
        lines[at] = f"{lines[at].partition(':')[0]}: {draw(st.sampled_from(ODD))}"
    return draw(damaged("\n".join(lines).encode(), edits=1))


@pytest.fixture(autouse=True, scope="module")
def secret() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HRM_FUZZ_SECRET", "planted")
        yield


def translated(file: Path, words: list[str]) -> str:
    merged = yaml_config.read(file, words)
    arch(merged)
    return f"{merged} {run_config(merged, 'mine')}"


@fuzzed(share=0.5)
@given(files(), assigned())
def test_configurations(home: Path, data: bytes, words: list[str]) -> None:
    file = home / "all_config.yaml"
    file.write_bytes(data)
    told = judge(lambda: translated(file, words), home)
    assert "planted" not in (told or "")
    assert not (home / "sentinel").exists()


def test_a_bomb_of_aliases_is_refused(home: Path) -> None:
    (home / "all_config.yaml").write_bytes(YAML + BOMB)
    assert judge(lambda: translated(home / "all_config.yaml", []), home) is None


@pytest.mark.parametrize("value", [word for word in ODD if "SECRET" in word])
def test_the_environment_is_not_read(home: Path, value: str) -> None:
    (home / "all_config.yaml").write_bytes(YAML + f"run_name: {value}\n".encode())
    assert judge(lambda: translated(home / "all_config.yaml", []), home) is None
    assert judge(lambda: translated(home / "all_config.yaml", [f"run_name={value}"]), home) is None


@pytest.mark.parametrize("group", ["../outside", "/outside", "..", "a/b", "x\x00", "a" * 300, "${oc.env:HOME}"])
def test_a_group_by_a_name_that_leads_elsewhere_is_refused(home: Path, group: str) -> None:
    (home / "outside.yaml").write_text("hidden_size: 8\n")
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "arch").mkdir(exist_ok=True)
    (home / "config" / "all_config.yaml").write_bytes(YAML)
    assert judge(lambda: translated(home / "config" / "all_config.yaml", [f"arch={group}"]), home) is None
