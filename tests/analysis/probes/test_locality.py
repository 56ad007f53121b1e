"""How far an erased cell is felt: along a chain of neighbours by hand, and in a shipped model."""

import torch
from torch import nn

from hrmlab.analysis.probes.effects import ending
from hrmlab.analysis.probes.locality import locality
from hrmlab.core.recurrence import Network
from hrmlab.core.schedules import SingleState


class RightNeighbour(nn.Module):
    """Each cell hears the next one of the line alone."""

    def forward(self, x, context):
        return x + x.roll(-1, 1)


def test_what_only_a_neighbour_hears_reaches_one_step(subject):
    one = subject(schedule=SingleState(cycles=1))
    one.model.networks[one.model.schedule.networks[0]] = Network([RightNeighbour()])
    batch = one.some(3)
    clean = ending(one.model, batch, 1)
    found = locality(one.model, batch, clean, 0, 16, one.generator())
    felt = {row["distance"]: row["now"] for row in found.table if row["distance"] is not None}
    # the cell before: one step away, or from the beginning of a row the end of the row above, four steps; from the
    # first cell the last, six steps
    assert {distance for distance, now in felt.items() if now > 1e-6} == {1, 4, 6}
    assert felt[1] > 1 and found.scalars["half_radius"] == 1


def test_a_maze_is_felt_along_its_neighbours(shipped):
    one = shipped("maze-9x9", 6, 2)
    found = locality(one.model, one.batch, ending(one.model, one.batch, 1), 0, 3, torch.Generator().manual_seed(0))
    assert found.scalars["neighbours_lift"] > 1
