"""Models that come with the package are sound: the probes here that can complain must not."""

import pytest

from hrmlab.analysis.probes import PROBES

KINDS = (
    "effective_rank",
    "token_collapse",
    "dormant_units",
    "critical_step",
    "patterns",
    "difficulty",
    "data",
)


@pytest.mark.parametrize("name", ["sudoku-4x4", "sudoku-6x6", "hrm-sudoku-6x6", "maze-9x9"])
def test_nothing_is_said_against_them(shipped, name):
    one = shipped(name, n=8)
    for kind in KINDS:
        found = PROBES.get(kind).config().run(one)
        assert found.verdict in ("ok", "info", "n/a"), (kind, found.findings)
