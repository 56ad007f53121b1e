"""The reference's YAML and command lines, translated: every key arrives, or is an error that names it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hrmlab import api
from hrmlab.blocks import MLPMixer, PostNorm
from hrmlab.config import load_json
from hrmlab.core.networks import NetworkConfig
from hrmlab.core.schedules import HRMSchedule, TRMSchedule
from hrmlab.embeddings import Learned, NoPositions, PuzzleConfig, Rotary
from hrmlab.errors import ConfigError, DataError, HrmLabError
from hrmlab.halting import Correctness, Fixed, QLearning
from hrmlab.interop import yaml_config
from hrmlab.interop.published import ARCH, OPTIONAL, PRETRAIN
from hrmlab.losses import SoftmaxCrossEntropy, StablemaxCrossEntropy
from hrmlab.training.config import RunConfig

HRM = ("data_path=data/sudoku-extreme-1k-aug-1000",)
TRM = ("data_paths=[data/sudoku-extreme-1k-aug-1000]",)


def typed(line: str) -> list[str]:
    return line.split()


RATES = "lr=1e-4 puzzle_emb_lr=1e-4 weight_decay=1.0 puzzle_emb_weight_decay=1.0"
EXTREME = typed(f"epochs=20000 eval_interval=2000 {RATES}")
LAPTOP = typed("global_batch_size=384 lr=7e-5 puzzle_emb_lr=7e-5")
FULL = typed(
    "epochs=100 eval_interval=10 lr_min_ratio=0.1 global_batch_size=2304 lr=3e-4 puzzle_emb_lr=3e-4 weight_decay=0.1 "
    "puzzle_emb_weight_decay=0.1 arch.loss.loss_type=softmax_cross_entropy arch.L_cycles=8 arch.halt_max_steps=8 "
    "arch.pos_encodings=learned"
)
DEPTH = "arch.L_layers=2 arch.H_cycles=3 arch.L_cycles=6 ema=True"
MIXER = typed(f"evaluators=[] epochs=50000 eval_interval=5000 {RATES} arch.mlp_t=True arch.pos_encodings=none {DEPTH}")
ATTENTION = typed(f"evaluators=[] epochs=50000 eval_interval=5000 {RATES} {DEPTH} arch.L_cycles=4")


def translated(source: str | Path, words: Sequence[str] = (), **options: Any) -> tuple[RunConfig, Any]:
    answer = api.import_config(source, words, out="imported.json", **options)
    return load_json(Path(answer.path), RunConfig), answer


def test_hrm_sudoku_extreme() -> None:
    run, answer = translated("hrm", (*HRM, *EXTREME))
    assert answer.parameters == api.inspect("imported.json").parameters["total"] == 27_275_266
    assert run.model.schedule == HRMSchedule(high_cycles=2, low_cycles=2)
    assert run.model.block == PostNorm() and run.model.positions == Rotary()
    assert run.model.puzzle == PuzzleConfig(width=512)
    assert run.halting == QLearning(max_segments=16, exploration=0.1) and run.evaluation == Fixed(max_segments=16)
    assert run.loss == StablemaxCrossEntropy(float64=True)
    training = run.training
    assert training.steps == 20000 * 1000 // 768 and training.batch_size == 768
    assert training.optimiser.lr == training.puzzle_lr == 1e-4
    assert training.optimiser.weight_decay == training.puzzle_weight_decay == 1.0
    assert training.optimiser.betas == (0.9, 0.95) and training.warmup_steps == 2000
    assert (training.clip, training.ema, training.decay) == (None, None, "constant")
    assert training.checkpoint_every == round(training.steps / 10)
    assert run.data.path == HRM[0].partition("=")[2] and run.task.kind == "sudoku"
    assert any("1000 examples an epoch, assumed" in note for note in answer.notes)


def test_hrm_on_a_laptop() -> None:
    run, _ = translated("hrm", (*HRM, *EXTREME, *LAPTOP))
    assert run.training.batch_size == 384 and run.training.optimiser.lr == run.training.puzzle_lr == 7e-5
    assert run.training.steps == 20000 * 1000 // 384


def test_hrm_maze() -> None:
    run, answer = translated("hrm", ("data_path=data/maze-30x30-hard-1k", *EXTREME))
    assert run.task.spec().seq_len == 900 and answer.parameters == 27_270_146


def test_hrm_sudoku_full() -> None:
    run, _ = translated("hrm", (*HRM, *FULL))
    assert run.model.schedule == HRMSchedule(high_cycles=2, low_cycles=8) and run.model.positions == Learned()
    assert run.loss == SoftmaxCrossEntropy() and run.halting.max_segments == run.evaluation.max_segments == 8
    assert (run.training.decay, run.training.min_lr_ratio) == ("cosine", 0.1)


def test_trm_mixer() -> None:
    run, answer = translated("trm", (*TRM, *MIXER))
    assert run.model.schedule == TRMSchedule(high_cycles=3, low_cycles=6) and run.model.block == MLPMixer()
    assert run.model.positions == NoPositions() and run.model.puzzle == PuzzleConfig(width=512, slots=16)
    assert run.halting == Correctness(max_segments=16, exploration=0.1) and run.training.ema == 0.999
    assert answer.parameters == 5_028_866
    assert not any(note.startswith("evaluators") for note in answer.notes)


def test_trm_attention_on_mazes() -> None:
    run, _ = translated("trm", ("data_paths=[data/maze-30x30-hard-1k]", *ATTENTION))
    assert run.model.schedule == TRMSchedule(high_cycles=3, low_cycles=4) and run.model.block == PostNorm()
    assert run.model.positions == Rotary() and run.model.size.layers == 2


@pytest.mark.parametrize("family", ["hrm", "trm"])
def test_the_published_defaults(family: str) -> None:
    run, answer = translated(family)
    assert run.data.path == "data/arc-aug-1000" and run.task.spec().seq_len == 900
    assert run.task.spec().vocab_size == 12
    assert run.training.puzzle_lr == 1e-2 and answer.parameters > 6_000_000
    assert api.inspect("imported.json").parameters["total"] == answer.parameters


def files(folder: Path, group: str = "hrm_v1") -> Path:
    """A configuration folder as the reference's repository has it."""
    (folder / "arch").mkdir(parents=True)
    (folder / "cfg_pretrain.yaml").write_text(
        "defaults:\n  - arch: hrm_v1\n  - _self_\nhydra:\n  output_subdir: null\n"
        "data_path: data/sudoku\nglobal_batch_size: 32\nepochs: 64\neval_interval: 8\nlr: 2e-4\n"
    )
    (folder / "arch" / f"{group}.yaml").write_text(
        "name: hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1\nloss:\n  name: losses@ACTLossHead\n"
        "  loss_type: softmax_cross_entropy\nhalt_exploration_prob: 0.2\nhalt_max_steps: 5\nH_cycles: 1\nL_cycles: 3\n"
        "H_layers: 2\nL_layers: 1\nhidden_size: 64\nnum_heads: 4\nexpansion: 4\npuzzle_emb_ndim: ${.hidden_size}\n"
        "pos_encodings: rope\n"
    )
    return folder


@pytest.mark.parametrize("given_as", ["folder", "file"])
def test_files_with_a_defaults_list_and_interpolation(tmp_path: Path, given_as: str) -> None:
    folder = files(tmp_path / "config")
    run, _ = translated(folder if given_as == "folder" else folder / "cfg_pretrain.yaml")
    assert run.model.size.width == run.model.puzzle.width == 64
    assert run.model.networks == {"high": NetworkConfig(layers=2)} and run.model.size.layers == 1
    assert run.training.optimiser.lr == 2e-4 and run.halting.exploration == 0.2
    assert run.training.optimiser.weight_decay == 0.1  # not in the file: the published default


@pytest.mark.parametrize("source", ["files", "hrm"])
def test_what_is_interpolated_follows_what_is_typed(tmp_path: Path, source: str) -> None:
    where = files(tmp_path / "config") if source == "files" else source
    run, _ = translated(where, (*HRM, "arch.hidden_size=128"))
    assert run.model.size.width == run.model.puzzle.width == 128
    run, _ = translated(where, (*HRM, "arch.hidden_size=128", "arch.puzzle_emb_ndim=0"))
    assert run.model.puzzle is None


def test_another_arch_file_is_chosen_on_the_command_line(tmp_path: Path) -> None:
    folder = files(tmp_path / "config")
    (folder / "arch" / "small.yaml").write_text(
        (folder / "arch" / "hrm_v1.yaml").read_text().replace("hidden_size: 64", "hidden_size: 32")
    )
    assert translated(folder, ["arch=small"])[0].model.size.width == 32
    assert translated(folder, ["+seed=7"])[0].training.seed == 7


def test_a_data_set_on_disk_says_the_task_and_the_length_of_an_epoch(four: Path) -> None:
    run, answer = translated("hrm", (f"data_path={four}", "epochs=100", "global_batch_size=10"))
    assert run.task.spec().seq_len == 16 and run.training.steps == 300 and run.data.train == 30
    assert not any("assumed" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("source", "words", "parts"),
    [
        ("hrm", ["epoch=3"], ["unknown key 'epoch'", "did you mean 'epochs'"]),
        ("hrm", ["arch.hiden_size=3"], ["unknown key 'arch.hiden_size'", "did you mean 'arch.hidden_size'"]),
        ("hrm", ["arch.loss.loss_tipe=x"], ["did you mean 'arch.loss.loss_type'"]),
        ("hrm", ["arch.mlp_t=true"], ["unknown key 'arch.mlp_t'"]),
        ("hrm", ["ema=true"], ["unknown key 'ema'"]),
        ("trm", ["data_path=x"], ["did you mean 'data_paths'"]),
        ("hrm", ["arch=hrm_v2"], ["unknown arch 'hrm_v2'", "did you mean 'hrm_v1'"]),
        ("hrm", ["arch.name=urm@URM"], ["'urm@URM'", "HierarchicalReasoningModel_ACTV1"]),
        ("hrm", ["arch.loss.name=losses@Other"], ["losses@ACTLossHead"]),
        ("hrm", ["arch.loss.loss_type=hinge"], ["'hinge'", "stablemax_cross_entropy"]),
        ("hrm", ["arch.loss=null"], ["arch.loss=None"]),
        ("hrm", ["arch.puzzle_emb_ndim=${.hiden_size}"], ["hiden_size"]),
        ("hrm", ["arch.num_heads=many"], ["arch.num_heads='many'", "integer"]),
        ("hrm", ["arch.hidden_size=510"], ["510", "8 heads"]),
        ("hrm", ["arch.expansion=0.0001"], ["expansion=0.0001", "no feed-forward width"]),
        ("hrm", ["arch.halt_exploration_prob=2"], ["arch.halt_exploration_prob=2"]),
        ("hrm", ["arch.pos_encodings=sinus"], ["'sinus'", "rope, learned, none"]),
        ("hrm", ["lr=fast"], ["lr='fast'", "a number"]),
        ("hrm", ["lr=null"], ["lr=None"]),
        ("hrm", ["beta2=1"], ["beta2=1"]),
        ("hrm", ["epochs=0"], ["epochs=0"]),
        ("hrm", ["epochs=0.1"], ["no step"]),
        ("hrm", ["[" * 200 + "=1"], ["a form that cannot be read"]),
        ("hrm", ["global_batch_size=1.5"], ["global_batch_size=1.5", "whole"]),
        ("hrm", ["global_batch_size=0x" + "f" * 5000], ["the assignments", "too many digits"]),
        ("hrm", ["seed=x"], ["seed='x'"]),
        ("hrm", ["checkpoint_every_eval=3"], ["checkpoint_every_eval=3"]),
        ("hrm", ["load_checkpoint=x"], ["hrm import"]),
        ("hrm", ["data_path=data/poems"], ["data/poems", "data_path=DIR"]),
        ("trm", ["data_paths=[data/poems]"], ["data/poems", "data_paths=[DIR]"]),
        ("trm", ["data_paths=[a,b]"], ["2 data sets"]),
        ("trm", ["data_paths=[]"], ["0 data sets"]),
        ("trm", ["data_paths_test=[a]"], ["test/"]),
        ("trm", ["freeze_weights=true"], ["freeze_weights=True"]),
        ("hrm", ["lr"], ["'lr' came", "key=value"]),
        ("nowhere.yaml", [], ["no configuration at nowhere.yaml", "'hrm' or 'trm'"]),
        (".", [], ["holds neither all_config.yaml nor cfg_pretrain.yaml"]),
    ],
)
def test_mistakes(source: str, words: list[str], parts: list[str]) -> None:
    base = HRM if source == "hrm" else TRM if source == "trm" else ()
    with pytest.raises((ConfigError, DataError)) as raised:
        translated(source, (*base, *words))
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    for part in parts:
        assert part in message
    assert not Path("imported.json").exists()


NO_CONFIGURATION = [
    "a: [",
    "- 1\n- 2\n",
    "",
    "just words",
    "arch: 3\n",
    "\x00\x01",
    "a: ${b}\narch: {}\n",
    "{}: 1\n",
    "null: 1\n",
    "defaults: 768\n",
]


@pytest.mark.parametrize("content", NO_CONFIGURATION)
def test_files_that_are_no_configuration(tmp_path: Path, content: str) -> None:
    file = tmp_path / "cfg.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError) as raised:
        translated(file)
    assert len(str(raised.value).splitlines()) == 1


def test_where_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.json"):
        api.import_config("hrm", HRM, out="x.yaml")
    assert api.import_config("hrm", HRM).path == "imported.json"
    with pytest.raises(ConfigError, match="--compat other"):
        api.import_config("hrm", HRM, compat="other")


VALUES = ["0", "1", "-1", "2.5", "true", "null", "[]", "[a]", "{}", "x", "", "1e999", ".nan", "${lr}", "8"]
KEYS = [*PRETRAIN["trm"], *OPTIONAL, *(f"arch.{key}" for key in ARCH["trm"]), "arch.loss.loss_type", "data_path"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    family=st.sampled_from(["hrm", "trm"]),
    words=st.lists(
        st.tuples(
            st.sampled_from(KEYS),
            st.sampled_from(VALUES),
        ),
        max_size=3,
    ),
)
def test_whatever_is_typed_is_translated_or_refused_in_words(family: str, words: list[tuple[str, str]]) -> None:
    base = HRM if family == "hrm" else TRM
    try:
        run, _ = translated(family, (*base, *("=".join(word) for word in words)))
    except HrmLabError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert run.training.steps >= 1


def test_every_key_of_the_published_files_is_known() -> None:
    for family, base in (("hrm", HRM), ("trm", TRM)):
        merged = yaml_config.read(family, base)
        assert merged.keys() == PRETRAIN[family].keys() | OPTIONAL.keys() | {"arch"}
        assert merged["arch"].keys() == ARCH[family].keys() and merged["arch"]["puzzle_emb_ndim"] == 512


@pytest.mark.parametrize(("family", "base"), [("hrm", HRM), ("trm", TRM)])
def test_a_saved_configuration_reads_as_what_it_was_saved_from(tmp_path: Path, family: str, base: tuple[str]) -> None:
    """all_config.yaml: the merged keys, plain and nested."""
    merged = yaml_config.read(family, (*base, "arch.hidden_size=64", "seed=3"))
    (tmp_path / "all_config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(merged)))
    assert yaml_config.read(tmp_path) == merged
