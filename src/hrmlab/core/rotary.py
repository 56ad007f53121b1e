"""Rotary angles that move with the model and are not saved."""

from torch import Tensor, nn

from hrmlab.attention.base import Context
from hrmlab.blocks.base import Place
from hrmlab.embeddings.positions import PositionsConfig
from hrmlab.layers import Rotation


class RotaryTable(nn.Module):
    """The angles of heads of one width; none where positions are told in another way."""

    cos: Tensor
    sin: Tensor

    def __init__(self, positions: PositionsConfig, place: Place) -> None:
        super().__init__()
        found = None if place.symbol_axis else positions.rotation(place)
        self.on = found is not None
        if found is not None:
            self.register_buffer("cos", found[0], persistent=False)
            self.register_buffer("sin", found[1], persistent=False)

    def context(self, mask: Tensor | None = None) -> Context:
        """What blocks are told beside the state."""
        angles: Rotation | None = (self.cos, self.sin) if self.on else None
        return Context(angles, mask)
