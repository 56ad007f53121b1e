"""The studies that come with hrm-lab, by name. Light: a study is imported when it is asked for."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from hrmlab.errors import ConfigError, unknown

if TYPE_CHECKING:
    from hrmlab.studies.plan import Study


@dataclass(frozen=True)
class Shipped:
    """A study that regenerates published rows, in full (hours) and reduced (minutes on one core)."""

    name: str
    summary: str
    source: str

    def make(self, *, quick: bool = False) -> "Study":
        """The study. quick: the reduced form, named NAME-quick."""
        module = import_module(f"hrmlab.presets.studies.{self.name.replace('-', '_')}")
        study: Study = module.quick() if quick else module.full()
        return study


_ALL = (
    Shipped(
        "arc-prize",
        "hierarchy, inner cycles, outer loop, halting, augmentation; trained x evaluated depth",
        "ARC Prize Foundation 2025, arcprize.org/blog/hrm-analysis",
    ),
    Shipped("trm-table-1", "what TRM loses without each of its parts", "Jolicoeur-Martineau 2025, arXiv 2510.04871"),
    Shipped("urm-loops", "through how many of its loops a model is trained", "URM, arXiv 2512.14693, table 3"),
    Shipped("act", "ways to learn when to stop, from Q-learning to not at all", "Wang et al. 2025, arXiv 2506.21734"),
    Shipped("embedding", "what a state stands for, and how it knows where it stands", "hrm-lab"),
    Shipped("variations", "which parts of a small model matter: mixing, levels, gradient, widths", "hrm-lab"),
    Shipped("variations-maze", "the same of a small maze model, and halting and injection", "hrm-lab"),
)
STUDIES = {entry.name: entry for entry in _ALL}


def shipped_study(name: str, *, quick: bool = False) -> "Study":
    """The study of that name.

    Raises:
        ConfigError: no such study; the message gives the nearest and all that exist.
    """
    if name not in STUDIES:
        raise ConfigError(unknown("study", name, STUDIES))
    return STUDIES[name].make(quick=quick)
