"""What an update does around its network: how states enter it, and what is kept of the old state."""

from hrmlab.transitions.base import INJECTIONS, RETENTIONS, InjectionConfig, Joint, RetentionConfig
from hrmlab.transitions.concat import Concat
from hrmlab.transitions.cross_attention import CrossAttention
from hrmlab.transitions.damped import Damped
from hrmlab.transitions.gate import Gate
from hrmlab.transitions.normalised import Normalised

__all__ = [
    "INJECTIONS",
    "RETENTIONS",
    "Concat",
    "CrossAttention",
    "Damped",
    "Gate",
    "InjectionConfig",
    "Joint",
    "Normalised",
    "RetentionConfig",
]
