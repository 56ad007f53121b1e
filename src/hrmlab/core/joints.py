"""What rows do before and after their network, where that is not to add and to replace."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from hrmlab.attention.base import Context
from hrmlab.core.rotary import RotaryTable
from hrmlab.core.schedule import Update


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
