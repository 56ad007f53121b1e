"""What is typed behind a verb: overrides of a run, and halting rules."""

from pathlib import Path

from fuzz.damage import damaged_text
from fuzz.harness import fuzzed, judge
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.api.differences import configuration
from hrmlab.api.places import study_engine
from hrmlab.api.rules import halting_rule, spelled_out
from hrmlab.api.study_sources import find_study
from hrmlab.api.targets import find_run
from hrmlab.config import decode, encode
from hrmlab.halting import Fixed
from hrmlab.interop.checkpoint import is_hub_name
from hrmlab.presets import preset
from hrmlab.training.config import RunConfig
from hrmlab.training.overrides import override_run

RUNS = {name: preset(name).make() for name in ("hrm-sudoku-4x4", "sudoku-4x4", "maze-9x9")}
WORDS = (
    "model.size.width=8", "model.block=post_norm", "model.schedule=hrm", "model.schedule.high_cycles=3",
    "high.layers=6", "high.blocks[2].attention=relational", "low.heads=4", "model.networks.low.blocks={}",
    "halting=q_learning", "training.steps=5", "training.optimiser.betas=[0.9,0.95]", "task.box_rows=2",
    "data.path=data/mine",
    "halting=any_of(confidence, answer_stability),max_segments=32", "model.puzzle=none", "model.answers.low=0.5",
)  # fmt: skip
RULES = (
    "correctness,threshold=0.9", "any_of(confidence, answer_stability),max_segments=32", "fixed", "q_learning",
    "all_of(confidence(threshold=0.5),answer_stability(window=3))", "max_segments=8",
)  # fmt: skip
VALUES = (
    "null", "true", "-1", "0", "1e999", "NaN", "1.5", "{}", "[]", "[[]]", '{"kind":"hrm"}', "\ud83e", "\x00", "../x",
    "9" * 22, "9" * 5000, "1e12",
)  # fmt: skip


def assignments() -> st.SearchStrategy[str]:
    keys = st.sampled_from([word.partition("=")[0] for word in WORDS])
    odd = st.builds(lambda key, value: f"{key}={value}", keys, st.sampled_from(VALUES) | st.text(max_size=5))
    return st.sampled_from(WORDS) | odd | damaged_text(*WORDS, edits=2)


@fuzzed()
@given(st.sampled_from(sorted(RUNS)), st.lists(assignments(), min_size=1, max_size=3))
def test_overrides(home: Path, run: str, words: list[str]) -> None:
    changed = judge(lambda: override_run(RUNS[run], spelled_out(words)), home)
    assert changed is None or decode(RunConfig, encode(changed)) == changed


@fuzzed()
@given(damaged_text(*RULES) | st.text(alphabet="(),= abckindof_0.9", max_size=20))
def test_halting_rules(home: Path, text: str) -> None:
    rule = judge(lambda: halting_rule(text, Fixed()), home)
    assert rule is None or rule.max_segments >= 1


NAMES = (
    "sudoku-4x4",
    "hrm-sudoku-4x4",
    "runs/mine",
    "mine.json",
    "./mine",
    "sudoku",
    "/nowhere/at/all.json",
    "a" * 300,
)


@fuzzed()
@given(damaged_text(*NAMES, edits=2))
def test_names_of_runs(home: Path, name: str) -> None:
    if not is_hub_name(name):  # which is asked for there
        judge(lambda: find_run(name), home)
    judge(lambda: configuration(name), home)
    if ":" not in name:  # which names a function to be called
        judge(lambda: find_study(name), home)


PLACES = ("local", "ray,address=10.0.0.1:6379,gpus=1", "slurm,partition=gpu,minutes=600", "slurm,gpus=[1]")


@fuzzed()
@given(damaged_text(*PLACES))
def test_engines(home: Path, text: str) -> None:
    judge(lambda: study_engine(text), home)
