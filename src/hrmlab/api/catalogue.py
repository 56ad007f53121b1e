"""`catalog`: every registered part, task, preset, shipped study and model."""

import json

from hrmlab.analysis.probes import PROBES
from hrmlab.api.targets import SHIPPED, shipped_models
from hrmlab.attention import ATTENTION
from hrmlab.blocks import BLOCKS
from hrmlab.core.schedules import SCHEDULES
from hrmlab.embeddings import EMBEDDINGS, POSITIONS
from hrmlab.errors import ConfigError, unknown
from hrmlab.halting import HALTING
from hrmlab.losses import LOSSES
from hrmlab.presets import PRESETS
from hrmlab.presets.studies import STUDIES
from hrmlab.registry import Registry
from hrmlab.results import Catalogue, Item
from hrmlab.studies.engines import ENGINES
from hrmlab.tasks import TASKS
from hrmlab.training.optimisers import OPTIMISERS
from hrmlab.training.rows import ROW_OPTIMISERS
from hrmlab.transitions import INJECTIONS, RETENTIONS

REGISTRIES: tuple[Registry, ...] = (
    SCHEDULES,
    BLOCKS,
    ATTENTION,
    EMBEDDINGS,
    POSITIONS,
    INJECTIONS,
    RETENTIONS,
    HALTING,
    LOSSES,
    OPTIMISERS,
    ROW_OPTIMISERS,
    TASKS,
    PROBES,
    ENGINES,
)


def catalog(kind: str | None = None) -> Catalogue:
    """What there is to choose from.

    Args:
        kind: "preset", "study", "model", or a family of parts such as "block"; None for all of them.

    Raises:
        ConfigError: no such kind.
    """
    items = [Item("preset", preset.name, preset.summary, preset.source) for preset in PRESETS.values()]
    items += [Item("study", study.name, study.summary, study.source) for study in STUDIES.values()]
    items += [Item("model", name, _about(name), "hrm-lab") for name in shipped_models()]
    items += [
        Item(entry.family, entry.name, entry.summary, entry.source) for registry in REGISTRIES for entry in registry
    ]
    kinds = ["preset", "study", "model", *(registry.family for registry in REGISTRIES)]
    if kind is None:
        return Catalogue(items)
    if kind not in kinds:
        raise ConfigError(unknown("kind", kind, kinds))
    return Catalogue([item for item in items if item.kind == kind])


def _about(name: str) -> str:
    """A shipped model's accuracy, from the results stored beside it."""
    try:
        results = json.loads((SHIPPED / name / "results.json").read_text(encoding="utf-8"))
        return f"trained; {results['exact']:.1%} of {results['n']} held-out puzzles right"
    except (OSError, ValueError, KeyError, TypeError):
        return "trained; no results beside it"
