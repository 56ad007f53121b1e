"""Every activation under an address that keeps apart the calls of a weight-tied network: trace, hook, patch."""

from hrmlab.analysis.tracing.address import Address, Pattern, clocks
from hrmlab.analysis.tracing.hooks import hooks
from hrmlab.analysis.tracing.sites import Site, sites
from hrmlab.analysis.tracing.trace import Trace, trace
from hrmlab.analysis.tracing.unroll import answering, batch_of, unroll, with_gradient

__all__ = [
    "Address",
    "Pattern",
    "Site",
    "Trace",
    "answering",
    "batch_of",
    "clocks",
    "hooks",
    "sites",
    "trace",
    "unroll",
    "with_gradient",
]
