"""Fused kernels, each beside its plain-torch twin: the parts call these, and the device decides which of the two runs.

On a GPU with Triton it is the kernel, as a custom operator that torch.compile knows; everywhere else the twin.
"""

from hrmlab.kernels.gated import swiglu, swiglu_halves
from hrmlab.kernels.residual_norm import add_rms_norm, rms_norm
from hrmlab.kernels.sparse_sign import sign_sgd
from hrmlab.kernels.stablemax import stablemax_cross_entropy

__all__ = ["add_rms_norm", "rms_norm", "sign_sgd", "stablemax_cross_entropy", "swiglu", "swiglu_halves"]
