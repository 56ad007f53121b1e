"""Ways to compute segments by name: the same mathematics, at different speeds.

An engine stands where a model is called: `act.segment(engine, carry, ...)`. Each agrees with `eager` within its own
`tolerance` in float32; the golden vectors are played through all of them (tests/parity, tests/core/test_engines.py).
"""

from hrmlab.core.captured import Captured
from hrmlab.core.compiling import Compiled
from hrmlab.core.eager import Eager, Reference
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError, unknown

__all__ = ["ENGINES", "Captured", "Compiled", "Eager", "Reference", "build"]

ENGINES: dict[str, type[Eager]] = {engine.name: engine for engine in (Reference, Eager, Compiled, Captured)}


def build(name: str, model: HRM) -> Eager:
    """The engine of that name around a model, whose weights it shares.

    Raises:
        ConfigError: no such engine, or it cannot work here.
    """
    if name not in ENGINES:
        raise ConfigError(unknown("engine", name, ENGINES))
    return ENGINES[name](model)
