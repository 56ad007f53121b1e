"""A change with code of its own: scored outside, whatever the code does. Each cheat is played for real."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hrmlab.errors import ConfigError, HrmLabError
from hrmlab.presets import preset
from hrmlab.results import Proposal
from hrmlab.specialist.gates import passages, verdict
from hrmlab.specialist.gates.base import Trial
from hrmlab.specialist.gates.foreign import fresh, misled
from hrmlab.specialist.ledger import NAME, Ledger
from hrmlab.specialist.plugins import confined
from hrmlab.specialist.plugins.confined import Confined
from hrmlab.specialist.sandbox import Ended, Limits, available
from hrmlab.studies.plan import Allowance
from hrmlab.training.overrides import override_run

try:
    available()
except HrmLabError as error:
    pytest.skip(f"needs Linux with Landlock and seccomp: {error}", allow_module_level=True)

HERE = Path(__file__).parent
GOOD = (HERE / "good.py.txt").read_text()
CHANGES = ["model.block=gained"]
FORWARD = "        return self.inner(x, context) * self.gain\n"
TOP = "from torch import Tensor, nn\n"
SMALL = (
    "data.train=48", "data.test=24", "model.size.width=8", "training.batch_size=4", "training.engine=eager",
    "halting.max_segments=2", "evaluation.max_segments=2",
)  # fmt: skip


def place(source: str = GOOD, changes: list[str] = CHANGES, **limits: Any) -> Confined:
    base = override_run(preset("hrm-sudoku-4x4").make(), SMALL)
    return Confined(base, changes, source, Limits(**({"seconds": 120} | limits)), quiet=True)


def trial(tmp_path: Path, source: str, changes: list[str] = CHANGES) -> Trial:
    parts = ("title", "rule", "prediction", "principle", "rationale", "explanation", "implications", "testing")
    about: dict[str, Any] = dict.fromkeys(parts, "")
    proposal = Proposal(id="p1", changes=changes, aim="exact", better="higher", source=source, **about)
    touched = [change.partition("=")[0] for change in changes]
    at = place(source, changes)
    return Trial(proposal, at.base, touched, at, Ledger(tmp_path / NAME), 1, 3, 10_000, True)


def test_an_honest_part_is_measured_and_trained(tmp_path: Path) -> None:
    gates = list(passages(trial(tmp_path, GOOD)))
    names = [gate.name for gate in gates]
    assert names == ["static", "build", "numerics", "cost", "gradient flow", "fresh", "training"]
    assert all(gate.passed for gate in gates[:-1])
    assert "are new" in gates[1].summary and verdict(gates)[0] == "inconclusive"


def test_a_source_with_objections_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "launch", lambda *_: pytest.fail("it was run"))
    gates = list(passages(trial(tmp_path, "import os\n" + GOOD)))
    assert [gate.name for gate in gates] == ["static"] and verdict(gates)[0] == "reject"


def test_what_judges_may_not_be_touched_beside_code(tmp_path: Path) -> None:
    gates = list(passages(trial(tmp_path, GOOD, [*CHANGES, "training.seed=3"])))
    assert [gate.name for gate in gates] == ["static"] and "training.seed" in gates[0].summary


# From here on sources do what the static gate forbids: it is no boundary, and the rest must hold without it.


def cheating(top: str = "", forward: str = FORWARD) -> str:
    assert TOP in GOOD and FORWARD in GOOD
    return GOOD.replace(TOP, TOP + top).replace(FORWARD, forward)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (cheating("raise SystemExit(0)\n"), "no result"),
        (cheating("open('/etc/passwd').read()\n"), "PermissionError"),
        (cheating("1 / 0\n"), "ZeroDivisionError"),
        (cheating("while True: pass\n"), "more than 8 s"),
        ("no Python", "cannot be imported"),
    ],
)
def test_code_that_breaks_is_an_error_with_its_reason(source: str, words: str) -> None:
    at = place(source, seconds=8) if "while True" in source else place(source)
    with pytest.raises(ConfigError, match=words):
        at.measure("build")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the change, after two honest steps."""
    at, to = place(), tmp_path_factory.mktemp("trained") / "weights.safetensors"
    puzzles = at._split(0)[1]
    job = {"steps": 2, "seed": 0, "plugged": True}
    assert at._trained(puzzles.train, puzzles, to, job, at.limits) > 0
    return to


def score(weights: Path, top: str) -> float:
    """Exact answers that a plug-in gives with these weights."""
    at = place(cheating(top))
    asked = at._split(0)[1].test
    answers, _, _ = at._answered(weights, asked, {"seed": 0, "plugged": True, "segments": 2}, at.limits)
    return float((answers == asked.labels).all(axis=1).mean())


def failure(weights: Path, top: str) -> str:
    with pytest.raises(ConfigError) as refused:
        score(weights, top)
    return str(refused.value)


def test_printed_and_written_metrics_count_nothing(weights: Path) -> None:
    lies = """
import pathlib
print('exact 1.0')
for name in ('results.json', 'out/result.json', 'out/scores.json'):
    pathlib.Path(name).write_text('{"exact": 1.0, "timeout": true}')
"""
    assert score(weights, lies) < 0.5


def test_answers_from_nowhere_are_refused(weights: Path) -> None:
    forged = """
import numpy
class Liar:
    def __init__(self, real): self.real = real
    def __call__(self, path, array): self.real(path, numpy.full((7, 7), 0.5))
numpy.save = Liar(numpy.save)
"""
    assert "wanted integers" in failure(weights, forged)


def test_pickles_are_not_opened(weights: Path) -> None:
    forged = """
import numpy
real = numpy.save
numpy.save = lambda path, array: real(path, numpy.array([print, {}], dtype=object))
"""
    assert "cannot be read" in failure(weights, forged)


def test_links_out_of_the_folder_are_not_followed(weights: Path) -> None:
    linked = """
import atexit, os, shutil
def swap():
    if os.path.exists('inputs.npy'):
        shutil.rmtree('out'); os.symlink('/etc', 'out')
atexit.register(swap)
"""
    assert "left no" in failure(weights, linked)


def test_labels_of_held_out_puzzles_are_not_there(weights: Path) -> None:
    """It looks through all it can read while it answers, and breaks if there is a label to be found."""
    peeking = """
import glob, numpy
real = numpy.save
def look(path, array):
    assert glob.glob('**/*labels*', recursive=True) == []
    assert sorted(glob.glob('*.npy')) == ['identifiers.npy', 'inputs.npy']
    real(path, array)
numpy.save = look
"""
    assert score(weights, peeking) < 0.5


def test_a_crash_in_training_scores_worst() -> None:
    broken = cheating("", "        raise RuntimeError('only in training') if self.training else None\n")
    found = place(broken).compare(Allowance(steps=2), 0, 1)
    assert found.exact[1] == [0.0] and "only in training" in found.about["failures"][0]


def test_a_solver_inside_a_part_has_not_learnt(tmp_path: Path) -> None:
    """The held-out puzzles are answered by a program; random weights answer them too, and that gives it away."""
    solving = """
import numpy
real = numpy.save
def cheat(path, array):
    if path.name == 'answers.npy':
        array = numpy.stack([solved(row) for row in numpy.load('inputs.npy').astype(numpy.int32)])
    real(path, array)
def solved(row):
    grid = row.reshape(4, 4)
    def go(at):
        if at == 16: return True
        r, c = divmod(at, 4)
        if grid[r, c] > 1: return go(at + 1)
        for v in range(2, 6):
            box = grid[r // 2 * 2:r // 2 * 2 + 2, c // 2 * 2:c // 2 * 2 + 2]
            if v not in grid[r] and v not in grid[:, c] and v not in box:
                grid[r, c] = v
                if go(at + 1): return True
                grid[r, c] = 1
        return False
    go(0)
    return grid.reshape(-1)
numpy.save = cheat
"""
    gate = fresh(trial(tmp_path, cheating(solving)))
    assert gate is not None and gate.passed is False and "not learnt" in gate.summary


def test_a_solver_that_waits_for_training_is_found_by_wrong_labels(tmp_path: Path) -> None:
    """It answers only once its weights have moved, which passes the gate before; wrong labels move them too."""
    gate = misled(trial(tmp_path, (HERE / "solver.py.txt").read_text(), ["evaluation=sure"]))
    assert gate.passed is False and "labels of other puzzles" in gate.summary


def test_a_child_is_told_of_no_seed_of_puzzles(monkeypatch: pytest.MonkeyPatch) -> None:
    at, told = place(), []

    def told_what(module: str, arguments: list[str], scratch: Path, limits: Limits) -> Ended:
        told.append(b"".join(file.read_bytes() for file in sorted(scratch.rglob("*")) if file.is_file()))
        return Ended(1, "enough", 0.0, 0.0, "")

    monkeypatch.setattr(confined, "launch", told_what)
    with pytest.raises(ConfigError, match="enough"):
        at._scored(2, 7, True, at.limits, 7)
    seed, puzzles = at._split(7)
    assert seed > 2**31 and str(seed).encode() not in told[0] and b'"seed": 7' in told[0]
    assert puzzles.test.labels[1:].astype("uint8").tobytes()[:64] not in told[0]
    assert at._split(8)[0] != seed  # the sealed runs have puzzles of their own


def test_saying_that_a_step_is_cheap_buys_no_steps() -> None:
    at = place()
    at._known = {"cost": {"ratio": {"operations_training_step": 0.01}, "base": {"operations_training_step": 50.0}}}
    assert at.ratio() == 1.0 and at._steps(Allowance(flops=10_000), plugged=True) == 200
    at._known["cost"]["ratio"]["operations_training_step"] = float("nan")
    with pytest.raises(ConfigError, match="no cost"):
        at.ratio()


def test_work_that_operations_do_not_show_counts_as_seconds() -> None:
    hidden = "        for _ in range(60): sum(range(20000))\n" + FORWARD
    at = place(cheating("", hidden))
    at._cpu_ratio = confined._times(([5.0], [50.0]), 4.0)
    assert at.ratio() == pytest.approx(46.0)
    assert confined._times(([5.0], [7.0]), 4.0) == 0.0


def test_stale_files_of_an_earlier_run_are_gone(tmp_path: Path) -> None:
    at = place(cheating("import os; os._exit(0)\n"))
    (tmp_path / "out").mkdir()
    np.save(tmp_path / "out" / "answers.npy", np.zeros((24, 16), dtype=np.int64))
    with pytest.raises(ConfigError, match="no result"):
        at._run(tmp_path, {"do": "answer", "seed": 0, "plugged": True, "segments": 1}, Limits(seconds=60))
    assert not (tmp_path / "out" / "answers.npy").exists()
