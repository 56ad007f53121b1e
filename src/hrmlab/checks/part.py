"""All rules of one part."""

import torch

from hrmlab.attention import ATTENTION, AttentionConfig
from hrmlab.blocks import BLOCKS, BlockConfig
from hrmlab.checks import cases, machine, modules, policies, tasks
from hrmlab.checks.asking import ask
from hrmlab.checks.entries import entry_rules
from hrmlab.checks.training import trains
from hrmlab.embeddings import EMBEDDINGS, EmbeddingConfig
from hrmlab.halting import HALTING, HaltingConfig
from hrmlab.registry import Entry, Part, Registry
from hrmlab.results import Check
from hrmlab.tasks import TASKS, Task

FAMILIES: dict[str, Registry] = {
    registry.family: registry for registry in (BLOCKS, ATTENTION, HALTING, EMBEDDINGS, TASKS)
}
BASES: dict[str, type[Part]] = {
    "block": BlockConfig,
    "attention": AttentionConfig,
    "halting": HaltingConfig,
    "embedding": EmbeddingConfig,
    "task": Task,
}


def checked(entry: Entry) -> list[Check]:
    """Every rule of the part's family; torch's random numbers are left as they were."""
    with torch.random.fork_rng(devices=[]):
        itself = [(entry.name, entry)]
        found = ask(entry_rules(BASES[entry.family]), itself)
        if entry.family == "halting":
            found += ask(policies.RULES, itself)
        elif entry.family == "task":
            found += ask(tasks.RULES, itself)
        else:
            places = cases.cases(entry)
            if not places:
                found.append(Check("place", False, "builds nowhere: not on cells, with puzzle slots, nor on symbols"))
            found += ask(modules.RULES | machine.RULES, [(case.name, case) for case in places])
        return found + ask({"training": trains}, itself)
