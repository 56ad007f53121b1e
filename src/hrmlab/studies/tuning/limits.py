"""What a run needs, known or measured before it is trained, against what it may need."""

import time
from dataclasses import dataclass, fields, replace
from statistics import median

import torch

from hrmlab.core.carry import Batch
from hrmlab.core.cost import costs
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.registry import Strict
from hrmlab.training.config import RunConfig
from hrmlab.training.memory import memory

TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Of one run; None for what nobody asked for.

    params: trained numbers, a sparse puzzle table not counted.
    flops: of one inference segment of one puzzle.
    memory_mb: of training, in millions of bytes.
    latency_ms: of one inference segment of one puzzle, measured on this CPU, eager.
    """

    params: int
    flops: int | None = None
    memory_mb: float | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Limits(Strict):
    """The most that a run may need, in the units of `Needs`; None for no limit."""

    params: int | None = None
    flops: int | None = None
    memory_mb: float | None = None
    latency_ms: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value <= 0:
                raise ConfigError(f"limit {field.name}={value} came; wanted more than 0")

    def over(self, needs: Needs) -> dict[str, float]:
        """By quantity, how many times its limit is needed, where that is more than once."""
        shares = {field.name: (getattr(needs, field.name), getattr(self, field.name)) for field in fields(self)}
        known = {name: pair for name, pair in shares.items() if None not in pair}
        return {name: came / most for name, (came, most) in known.items() if came > most}

    def needs(self, config: RunConfig) -> Needs:
        """What a run needs of all that is limited; of the parameters alone where they are too many already.

        Raises:
            ConfigError: parts that do not fit each other or the data.
        """
        spec = config.task.spec()
        with torch.device("meta"):
            model = HRM(config.model, spec)
        needs = Needs(params=model.parameter_count())
        if self.over(needs):
            return needs
        if self.flops is not None or self.memory_mb is not None:
            cost = costs(config.model, spec)
            held = memory(config, model, cost)["training"] / 1e6
            needs = replace(needs, flops=cost.segment(model.schedule), memory_mb=held)
        return needs if self.latency_ms is None else replace(needs, latency_ms=latency(config))


def latency(config: RunConfig) -> float:
    """Milliseconds of one inference segment of one puzzle, eager, with the threads that torch has: a median."""
    spec = config.task.spec()
    state = torch.random.get_rng_state()
    model = HRM(config.model, spec).eval()
    torch.random.set_rng_state(state)
    tokens, names = torch.zeros(1, spec.seq_len, dtype=torch.long), torch.zeros(1, dtype=torch.long)
    batch, took = Batch(tokens, tokens, names), []
    with torch.inference_mode():
        states = model.empty_carry(batch).states
        for _ in range(TRIES + 1):
            start = time.perf_counter()
            model(states, batch)
            took.append(1000 * (time.perf_counter() - start))
    return median(took[1:])
