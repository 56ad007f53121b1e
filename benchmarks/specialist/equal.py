"""How often the gates accept nothing: real runs of one configuration, in arms that differ by their seeds alone.

    python benchmarks/specialist/equal.py [--runs 200]

Trains `hrm-sudoku-4x4` again and again, each time with another seed, then draws comparisons of five pairs from these
runs and judges them as a proposal for accuracy, and as one for memory. Kept beside this file (equal.json). Twenty
minutes on one core.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from hrmlab import api
from hrmlab.specialist.gates.learning import decide, noise_of
from hrmlab.terminal import Meter

HERE = Path(__file__).parent
PAIRS, DRAWN, STEPS = 5, 2000, 130
CHANGES = ("data.test=300", "training.engine=eager", "evaluation.max_segments=16")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    torch.set_num_threads(1)
    scores = []
    with tempfile.TemporaryDirectory() as folder, Meter(f"training {runs} equal models", False) as meter:
        for seed in range(runs):
            told = api.train(
                "hrm-sudoku-4x4", CHANGES, steps=STEPS, seed=seed, out=Path(folder) / str(seed), quiet=True
            )
            scores.append((told.exact, told.mean_segments))
            meter.update((seed + 1) / runs, f"{seed + 1} of {runs}")
    exact, segments = np.array(scores, dtype=float).T
    found = {aim: judged(exact, segments, aim) for aim in ("exact", "memory_training")}
    about = {
        "model": "hrm-sudoku-4x4", "changes": CHANGES, "steps": STEPS, "runs": runs, "pairs": PAIRS,
        "comparisons drawn": DRAWN, "exact": {"mean": exact.mean(), "deviation": exact.std(ddof=1)},
        "decisions": found, "scores": exact.tolist(),
    }  # fmt: skip
    (HERE / "equal.json").write_text(json.dumps(about, indent=1) + "\n")
    print(json.dumps({name: value for name, value in about.items() if name != "scores"}, indent=1))


def judged(exact: np.ndarray, segments: np.ndarray, aim: str) -> dict[str, float]:
    """Shares of the decisions: first of comparisons that share no run, then of many drawn from all runs."""
    rng, decisions = np.random.default_rng(0), ("accept", "reject", "inconclusive")
    apart = [decision(exact, segments, rows, aim) for rows in np.arange(len(exact)).reshape(-1, 2 * PAIRS)]
    drawn = [decision(exact, segments, rng.permutation(len(exact))[: 2 * PAIRS], aim) for _ in range(DRAWN)]
    return {
        f"{name}, {how}": found.count(name) / len(found)
        for how, found in (("apart", apart), ("drawn", drawn))
        for name in decisions
    }


def decision(exact: np.ndarray, segments: np.ndarray, rows: np.ndarray, aim: str) -> str:
    """Of one comparison: the first rows are the base's, the others the change's."""
    sides = rows[:PAIRS], rows[PAIRS:]
    arms = {
        "exact": [exact[side].tolist() for side in sides],
        "mean_segments": [segments[side].tolist() for side in sides],
    }
    better = "higher" if aim == "exact" else "lower"
    return str(decide(aim, better, arms, noise_of(arms["exact"][0]))[0])


if __name__ == "__main__":
    main()
