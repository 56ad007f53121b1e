"""Names for parts: one registry per family, filled by explicit registration.

A part is a frozen dataclass (its configuration) that builds, or is, the thing it names; `kind` is its name in
configuration files. Registries serve the edge (files, command line, catalogue); Python users pass objects.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

from hrmlab.errors import ConfigError, unknown

C = TypeVar("C", bound=type)


@dataclass(frozen=True)
class Entry:
    """One registered part, as a catalogue prints it."""

    family: str
    name: str
    summary: str
    source: str
    config: type


class Registry:
    """The parts of one family, by name. A name is given once: a duplicate is an error, never an overwrite.

    registered: parts of all families together; what is made of the registries holds while it stays the same.
    """

    registered: ClassVar[int] = 0

    def __init__(self, family: str) -> None:
        self.family = family
        self._entries: dict[str, Entry] = {}

    def register(self, *, source: str) -> Callable[[C], C]:
        """Class decorator: add a configuration class under the default of its `kind` field.

        Args:
            source: where the idea was published, or "hrm-lab".
        """

        def add(cls: C) -> C:
            name = str(next(f.default for f in fields(cls) if f.name == "kind"))
            if name in self._entries:
                raise ConfigError(f"{self.family} '{name}' is registered already, by {self._entries[name].config}")
            summary = (cls.__doc__ or "").strip().splitlines()[0]
            self._entries[name] = Entry(self.family, name, summary, source, cls)
            Registry.registered += 1
            return cls

        return add

    def get(self, name: str) -> Entry:
        """The entry of that name.

        Raises:
            ConfigError: no such name; the message lists those known and the nearest.
        """
        if name not in self._entries:
            raise ConfigError(unknown(self.family, name, self._entries))
        return self._entries[name]

    def names(self) -> list[str]:
        return sorted(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries[name] for name in self.names())


class Strict:
    """Base of every configuration dataclass: unknown keys, and numbers that are none, are errors when it is
    decoded (see `hrmlab.config`)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": False, "allow_inf_nan": False}


class Part(Strict):
    """Base of every family of swappable parts.

    A family's base class sets `registry`; a field annotated with that base accepts any registered member, told apart
    by `kind`. A bare string stands for a part with its default values.
    """

    registry: ClassVar[Registry]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        if "registry" not in cls.__dict__:
            return handler(source)
        from hrmlab.config import union_of_parts

        return union_of_parts(cls.registry, handler)
