"""Drop-in classes for HRM's repository (models/hrm/hrm_act_v1.py, models/losses.py, models/sparse_embedding.py).

Put these in the place of the reference's own imports, or register this module under their names; `pretrain.py` then
trains with them unchanged, on any device.
"""

from typing import Any, Literal

from pydantic import model_validator
from torch import Tensor

from hrmlab.attention import Context
from hrmlab.blocks.base import Place
from hrmlab.interop.arch import TRM_ONLY, Arch, Count, model_config, task_spec
from hrmlab.interop.faces import ACTCarry, InnerCarry, ReferenceModel
from hrmlab.interop.loss_head import ACTLossHead
from hrmlab.interop.names import block_places
from hrmlab.interop.renamed import Renamed
from hrmlab.interop.sparse import CastedSparseEmbedding, CastedSparseEmbeddingSignSGD_Distributed
from hrmlab.layers import Rotation

__all__ = [
    "ACTLossHead",
    "CastedSparseEmbedding",
    "CastedSparseEmbeddingSignSGD_Distributed",
    "HierarchicalReasoningModel_ACTV1",
    "HierarchicalReasoningModel_ACTV1Block",
    "HierarchicalReasoningModel_ACTV1Carry",
    "HierarchicalReasoningModel_ACTV1Config",
    "HierarchicalReasoningModel_ACTV1InnerCarry",
]

HierarchicalReasoningModel_ACTV1InnerCarry = InnerCarry
HierarchicalReasoningModel_ACTV1Carry = ACTCarry


class HierarchicalReasoningModel_ACTV1Config(Arch):
    """HRM's configuration. `compat=None` draws the exploration once for each sequence, as the paper says."""

    family: Literal["hrm"] = "hrm"
    H_layers: Count

    @model_validator(mode="before")
    @classmethod
    def _pass_over(cls, values: Any) -> Any:
        """Without TRM's keys, which HRM does not know."""
        return {key: value for key, value in values.items() if key not in TRM_ONLY}


class HierarchicalReasoningModel_ACTV1(ReferenceModel):
    """HRM: two networks, one-step gradient, Q-learning halting (Wang et al. 2025, arXiv 2506.21734)."""

    Config = HierarchicalReasoningModel_ACTV1Config


class HierarchicalReasoningModel_ACTV1Block(Renamed):
    """One transformer block, post-norm."""

    def __init__(self, config: Arch) -> None:
        place = Place(model_config(config).size, task_spec(config), config.seq_len + config.slots, config.slots, False)
        core = model_config(config).block.build(place)
        super().__init__(core, block_places(core.state_dict()))

    def forward(self, cos_sin: Rotation | None, hidden_states: Tensor) -> Tensor:
        """cos_sin: (N, head width) each, or None; hidden_states: (B, N, W)."""
        out: Tensor = self.core(hidden_states, Context(rotation=cos_sin))
        return out
