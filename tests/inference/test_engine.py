"""Which engine answers: the one named; by itself the eager one, unless the work ahead is long."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hrmlab.core import choosing, compiling
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.halting import Fixed
from hrmlab.inference import engine as answering
from hrmlab.inference.engine import SAMPLE, SHARE, Ahead, engine_of
from hrmlab.inference.puzzles import Puzzle
from hrmlab.inference.solver import answer
from hrmlab.tasks.base import Examples

RULE = Fixed(max_segments=2)


@pytest.fixture
def model(make_spec: Callable[..., Any], make_model: Callable[..., HRM]) -> HRM:
    return make_model(make_spec()).eval()


@pytest.fixture
def puzzles(model: HRM) -> list[Puzzle]:
    return [Puzzle(np.full(model.spec.seq_len, 1, dtype=np.int32)) for _ in range(100)]


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """torch.compile that only notes what it was given, and is twice as fast by a clock of its own."""
    compiled: list[str] = []
    now = [0.0]

    def fast(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        compiled.append(function.__name__)
        return function

    class Half(choosing.Compiled):
        def __call__(self, *arguments: Any) -> Any:
            now[0] -= 0.5
            return super().__call__(*arguments)

    count = HRM.think

    def think(self: HRM, *arguments: Any) -> Any:
        now[0] += 1.0
        return count(self, *arguments)

    monkeypatch.setenv("HRMLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(HRM, "think", think)
    monkeypatch.setattr(choosing, "Compiled", Half)
    monkeypatch.setattr(choosing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(compiling.torch, "compile", fast)
    for module in (choosing, compiling, answering):
        monkeypatch.setattr(module, "has_compiler", lambda model: True)
    return compiled


def test_the_first_puzzles_stand_for_all() -> None:
    some = [Puzzle(np.zeros(1, dtype=np.int32)) for _ in range(50)]
    ahead = Ahead.of(iter(some), 64)
    assert ahead.first == some[:2] and ahead.times == 32
    assert Ahead.of(some, 64, attempts=3).times == 96
    assert len(Ahead.of(some, 10**6).first) == SAMPLE
    assert Ahead.of(some, SHARE - 1).first == []


def test_a_named_engine_is_taken_without_a_trial(model: HRM, puzzles: list[Puzzle]) -> None:
    for name in ("reference", "eager"):
        assert engine_of(name, model, RULE, Ahead(puzzles, 1e9), 4).name == name
    with pytest.raises(ConfigError, match="did you mean 'compiled'"):
        engine_of("compield", model, RULE, Ahead(puzzles, 1e9), 4)


@pytest.mark.parametrize(("count", "taken"), [(31, "eager"), (64, "eager"), (100 * 180, "compiled")])
def test_auto_compiles_for_long_work_alone(
    model: HRM, puzzles: list[Puzzle], compiler: list[str], count: int, taken: str
) -> None:
    """Two segments of two seconds for 32 puzzles in 32 slots, by the clock of the test."""
    ahead = Ahead.of(puzzles, count)
    assert engine_of("auto", model, RULE, ahead, 32).name == taken
    assert bool(compiler) == (taken == "compiled")


def test_without_a_compiler_nothing_is_tried(
    model: HRM, puzzles: list[Puzzle], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "has_compiler", lambda model: False)
    monkeypatch.setattr(answering, "Solver", pytest.fail)
    assert engine_of("auto", model, RULE, Ahead.of(puzzles, 10**6), 32).name == "eager"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_the_compiled_engine_answers_the_same_and_keeps_its_shape(model: HRM) -> None:
    if not compiling.has_compiler(model):
        pytest.skip("no C++ compiler")
    rng = np.random.default_rng(0)
    inputs = rng.integers(1, model.spec.vocab_size, (7, model.spec.seq_len)).astype(np.int32)
    examples = Examples(inputs, inputs, np.zeros(7, np.int32), np.zeros(7, np.int64))
    plain = answer(model, examples, RULE, 3)
    compiled = answer(model, examples, RULE, 3, engine=engine_of("compiled", model, RULE, Ahead([], 0), 3))
    np.testing.assert_array_equal(plain.tokens, compiled.tokens)
    np.testing.assert_allclose(plain.confidence, compiled.confidence, atol=1e-4)
