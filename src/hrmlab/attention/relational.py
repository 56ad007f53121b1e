"""Attention whose heads look along the task's own relations."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import nn

from hrmlab.attention.base import ATTENTION, AttentionConfig
from hrmlab.attention.masked import MaskedAttention, beside_slots
from hrmlab.attention.place import Place
from hrmlab.errors import ConfigError
from hrmlab.spec import Bools, by_tie


@ATTENTION.register(source="hrm-lab; masks from relations as in Velickovic et al. 2017, arXiv 1710.10903")
@dataclass(frozen=True, kw_only=True)
class RelationalHeads(AttentionConfig):
    """Softmax attention with heads that see only the cells of a relation (row, box, neighbours); other heads see all.

    Relations that share a tie share their heads, which see the cells of any of them: what the task says may be swapped
    (rows for columns) makes no difference to such a head. A cell sees itself; puzzle slots see all and are seen by all.

    relations: which of the task's, by name, and in the order of the heads; None for all of them.
    heads_each: heads for each tie.
    """

    kind: Literal["relational"] = "relational"
    relations: tuple[str, ...] | None = None
    heads_each: int = 1

    def build(self, place: Place) -> nn.Module:
        ties = by_tie(place.spec.chosen(self.relations))
        heads, tied = place.size.heads, self.heads_each * len(ties)
        if not 0 < tied <= heads:
            raise ConfigError(
                f"attention 'relational' with heads_each={self.heads_each} for relations [{', '.join(ties)}] ties "
                f"{tied} of {heads} heads; wanted 1 to {heads}: change heads_each, relations or the size's heads"
            )
        cells = place.spec.seq_len
        where: Bools = np.ones((heads, cells, cells), dtype=np.bool_)
        for at, relations in enumerate(ties.values()):
            seen = np.any([relation.links for relation in relations], axis=0) | np.eye(cells, dtype=np.bool_)
            where[at * self.heads_each : (at + 1) * self.heads_each] = seen
        return MaskedAttention(place.size, beside_slots(where, place))
