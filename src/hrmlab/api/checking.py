"""`check`: does a part keep the rules that everything else relies on?"""

from collections.abc import Sequence

from hrmlab.api.settings import import_parts
from hrmlab.checks import FAMILIES, checked
from hrmlab.errors import ConfigError, unknown
from hrmlab.registry import Entry
from hrmlab.results import Checked


def check(name: str, kind: str | None = None, imports: Sequence[str] = ()) -> Checked:
    """Ask every rule of a part, registered by this library or by a user's module.

    Args:
        name: the part's `kind`, as in a configuration.
        kind: its family ("block", "attention", "halting", "embedding", "task"), where two have a part of that name.
        imports: modules to import first, which register parts.

    Raises:
        ConfigError: no such part or family, or a module that cannot be imported.
    """
    import_parts(imports)
    entry = _entry(name, kind)
    found = checked(entry)
    return Checked(all(one.ok is not False for one in found), entry.family, name, found)


def _entry(name: str, kind: str | None) -> Entry:
    if kind is not None and kind not in FAMILIES:
        raise ConfigError(unknown("kind", kind, FAMILIES))
    among = FAMILIES if kind is None else {kind: FAMILIES[kind]}
    having = [family for family, registry in among.items() if name in registry.names()]
    if not having:
        every = {name for registry in among.values() for name in registry.names()}
        what = " or ".join(among)
        raise ConfigError(f"{unknown(what, name, every)}; a part of your own wants --import MODULE")
    if len(having) > 1:
        raise ConfigError(f"'{name}' names parts of several kinds: {', '.join(having)}; say which: --kind {having[0]}")
    return among[having[0]].get(name)
