"""What each engine does with a model on this machine, and where the eager one spends its time."""

from collections import Counter

import torch
from torch.profiler import ProfilerActivity, profile

from hrmlab.api.settings import versions
from hrmlab.core.carry import Batch
from hrmlab.core.compiling import has_compiler
from hrmlab.core.engines import ENGINES
from hrmlab.core.model import HRM

LINES = 8


def explain(model: HRM, batch: Batch) -> list[str]:
    """Lines for people: engines, why one is missing, the attention kernel, where a segment's time goes."""
    lines = [f"{engine.name}: {engine.summary}" for engine in ENGINES.values()]
    if not has_compiler(model):
        lines.append("compiled: not here, torch.compile needs a C++ compiler (g++) on the CPU and none was found")
    lines.append(f"torch {versions()['torch']} with {torch.get_num_threads()} threads on {model.initial.device}")
    spent = _spent(model, batch)
    whole = sum(spent.values()) or 1.0
    kernels = [name for name in spent if "dot_product" in name]
    lines += [f"attention by {name}" for name in kernels] or ["no attention"]
    lines += [f"{seconds / whole:.0%} of an eager segment in {name}" for name, seconds in spent.most_common(LINES)]
    return lines


def _spent(model: HRM, batch: Batch) -> Counter[str]:
    """Microseconds by operation, the operations that it calls not counted."""
    states = model.empty_carry(batch).states
    with torch.inference_mode():
        model(states, batch)
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            model(states, batch)
    return Counter({event.key: event.self_cpu_time_total for event in seen.key_averages()})
