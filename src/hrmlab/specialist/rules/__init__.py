"""Rules by name, and which of their proposals come first."""

from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

from hrmlab.api.differences import skeleton
from hrmlab.errors import ConfigError
from hrmlab.specialist.facts import Facts
from hrmlab.specialist.rules.base import RULES, Draft
from hrmlab.training.overrides import override_run

for _module in iter_modules(__path__, f"{__name__}."):  # every rule registers itself
    import_module(_module.name)

__all__ = ["RULES", "Draft", "drafts"]


def drafts(facts: Facts) -> list[Draft]:
    """Everything that the rules propose and that can be built, the most called for first; no change twice."""
    found: list[Draft] = []
    for name, (topics, function) in RULES.items():
        if topics and not facts.about(*topics):
            continue
        draft = function(facts)
        if draft is None or not _possible(facts, draft):
            continue
        rank = min((list(facts.topics).index(topic) for topic in topics if topic in facts.topics), default=2)
        found.append(replace(draft, rule=name, weight=draft.weight - 0.05 * rank))
    found.sort(key=lambda draft: -draft.weight)
    unique: dict[tuple[str, ...], Draft] = {}
    for draft in found:
        unique.setdefault(tuple(sorted(draft.changes)), draft)
    return list(unique.values())


def _possible(facts: Facts, draft: Draft) -> bool:
    try:
        changed = override_run(facts.config, draft.changes)
        skeleton(changed)
    except ConfigError:
        return False
    return changed != facts.config
