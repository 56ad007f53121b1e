"""Every probe of recurrent dynamics measures, or says why not, on every architecture, with one puzzle or several."""

import math

import pytest
import torch

from hrmlab.analysis.probes import PROBES
from hrmlab.blocks import MLPMixer, PreNorm
from hrmlab.core.schedules import HRMTextSchedule, Levels, SingleState, TRMSchedule
from hrmlab.embeddings import PuzzleConfig

SMALL = {
    "convergence_index": {"control": 2},
    "settling": {},
    "fixed_point": {"puzzles": 2, "ladder": (1,)},
    "jacobian": {"puzzles": 2, "depths": 1, "iterations": 2, "draws": 1},
    "contraction": {"puzzles": 2, "sizes": (0.1,)},
    "lyapunov": {"puzzles": 2, "exponents": 2, "segments": 1},
    "path_independence": {"puzzles": 2},
    "attractors": {"puzzles": 2, "restarts": 2},
    "trajectory": {"puzzles": 2, "grid": 3},
}
MODELS = {
    "trm": {"schedule": TRMSchedule(high_cycles=2, low_cycles=2)},
    "levels": {"schedule": Levels(periods=(1, 2, 2))},
    "text": {"schedule": HRMTextSchedule(), "block": PreNorm()},
    "mixer": {"block": MLPMixer()},
    "one": {"schedule": SingleState(cycles=1), "puzzle": PuzzleConfig(width=16)},
}


@pytest.mark.parametrize(("name", "segments"), [("trm", 4), ("levels", 1), ("text", 3), ("mixer", 1), ("one", 4)])
def test_all_measure_or_say_why_not(subject, puzzles, name, segments):
    one = subject(**MODELS[name], segments=segments, examples=puzzles.test.part(slice(segments)))
    before = {key: value.clone() for key, value in one.model.state_dict().items()}
    draws = torch.random.get_rng_state()
    for kind, fields in SMALL.items():
        found = PROBES.get(kind).config(**fields).run(one)
        assert (found.verdict == "n/a") == bool(found.why)
        assert len({tuple(row) for row in found.table}) <= 1, "rows of equal keys"
        for value in found.scalars.values():
            assert value is None or isinstance(value, str) or math.isfinite(value)
    assert torch.equal(torch.random.get_rng_state(), draws)
    assert all(torch.equal(value, before[key]) for key, value in one.model.state_dict().items())
    assert all(p.grad is None for p in one.model.parameters())
