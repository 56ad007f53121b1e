"""What rows do before and after their network, where that is not to add and to replace."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from hrmlab.attention.base import Context
from hrmlab.blocks.base import Place
from hrmlab.core.networks import NetworkConfig
from hrmlab.core.rotary import RotaryTable
from hrmlab.core.schedule import INPUT, Schedule, Update
from hrmlab.layers import Linear
from hrmlab.transitions.base import Joint

if TYPE_CHECKING:
    from hrmlab.core.model import ModelConfig


class Joints(nn.Module):
    """The injections and retentions of a model, by the rows' sites; rows without one do as the reference does.

    projections: by site, a map for each source to the width of the row's level; identity where it has that.
    rotaries: by network, the angles of its heads, where they are not those of the model's.
    """

    def __init__(
        self,
        injections: dict[str, nn.Module],
        retentions: dict[str, nn.Module],
        projections: dict[str, nn.Module],
        rotaries: dict[str, RotaryTable],
    ) -> None:
        super().__init__()
        self.injections, self.retentions = nn.ModuleDict(injections), nn.ModuleDict(retentions)
        self.projections, self.rotaries = nn.ModuleDict(projections), nn.ModuleDict(rotaries)

    def enter(self, update: Update, state: Tensor, sources: Sequence[Tensor], context: Context) -> Tensor:
        """What the network of a row is given."""
        if update.site in self.projections:
            maps: Any = self.projections[update.site]
            sources = [into(source) for into, source in zip(maps, sources, strict=True)]
        if update.site in self.injections:
            if update.network in self.rotaries:
                own: Any = self.rotaries[update.network]
                context = own.context(context.mask)
            injected: Tensor = self.injections[update.site](state, sources, context)
            return injected
        first, *rest = sources
        return state + sum(rest, start=first)

    def leave(self, update: Update, before: Tensor, after: Tensor) -> Tensor:
        """The new state, of the positions that `after` has."""
        if update.site in self.retentions:
            kept: Tensor = self.retentions[update.site](before[:, : after.shape[1]], after)
            return kept
        return after


def joints(
    config: "ModelConfig",
    schedule: Schedule,
    place: Place,
    widths: Mapping[str, int],
    rotaries: dict[str, RotaryTable],
) -> Joints:
    """Those that a configuration asks for.

    Args:
        widths: of the levels, by name. rotaries: by network, where its heads are not the model's.
    """
    injections: dict[str, nn.Module] = {}
    retentions: dict[str, nn.Module] = {}
    projections: dict[str, nn.Module] = {}
    known = {**widths, INPUT: place.size.width}
    for update in {update.site: update for update in schedule.updates}.values():
        own = config.networks.get(update.network, NetworkConfig())
        there = replace(place, size=config.stack(update.network).size)
        injection, retention = own.injection or config.injection, own.retention or config.retention
        if injection is not None:
            injections[update.site] = injection.build(Joint(there, update.target, update.sources))
        if retention is not None:
            retentions[update.site] = retention.build(there)
        wanted = widths[update.target]
        if any(known[source] != wanted for source in update.sources):
            maps = [nn.Identity() if known[name] == wanted else Linear(known[name], wanted) for name in update.sources]
            projections[update.site] = nn.ModuleList(maps)
    return Joints(injections, retentions, projections, rotaries)
