"""The protocols of a row's two joints.

    state[target] <- retention(state[target], network(injection(state[target], sources)))

The reference adds the sources and keeps nothing of the old state: a model without either part does that.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from hrmlab.attention.place import Place
from hrmlab.registry import Part, Registry

INJECTIONS = Registry("injection")
RETENTIONS = Registry("retention")


@dataclass(frozen=True)
class Joint:
    """Where an injection will stand: rows that update `target` from these sources (levels, or "input")."""

    place: Place
    target: str
    sources: tuple[str, ...]


class InjectionConfig(Part, ABC):
    """Base of all injections. `build` returns a module called as `module(state, sources, context)`, the sources being
    tensors in the row's order, all of the state's shape, which it gives back."""

    registry: ClassVar[Registry] = INJECTIONS
    kind: str

    @abstractmethod
    def build(self, joint: Joint) -> nn.Module:
        """Raises ConfigError if the states there are not such as it reads."""


class RetentionConfig(Part, ABC):
    """Base of all retentions. `build` returns a module called as `module(before, after)`, both of the state's shape,
    which it gives back."""

    registry: ClassVar[Registry] = RETENTIONS
    kind: str

    @abstractmethod
    def build(self, place: Place) -> nn.Module:
        """Raises ConfigError if a setting cannot work."""
