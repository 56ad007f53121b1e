"""Numbers in texts: each is followed by the evidence that it was read from, "0.64 [e3]", and can be checked."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hrmlab.errors import DataError
from hrmlab.results.specialist import Evidence

SCALES = {"": 1.0, "%": 0.01, " million": 1e6, " thousand": 1e3, " MiB": 2.0**20, " ms": 1e-3}
NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
CITED = re.compile(rf"(?<![\w.])({NUMBER})(%| million| thousand| MiB| ms)? \[(e\d+)\]")
LOOSE = re.compile(rf"(?<![\w.]){NUMBER}(?![\w])")
LARGEST_EXPONENT = 300
CODE = re.compile(r"`[^`]*`")


def cite(evidence: Evidence, name: str, form: str = ".3g", scale: str = "") -> str:
    """A value of the evidence as text, with its source.

    Args:
        name: of the value; `a.b` looks inside.
        form: of the number.
        scale: what follows it and divides it, of `SCALES`.
    """
    value = found(evidence.values, name)
    if not isinstance(value, int | float):
        raise DataError(f"{evidence.id} has no number '{name}'; it has {', '.join(evidence.values)}")
    scaled = value / SCALES[scale] if scale else value
    return f"{scaled:{form}}{scale} [{evidence.id}]"


def found(values: Mapping[str, Any], name: str) -> Any:
    """The value under a name, which may itself contain dots."""
    if name in values:
        return values[name]
    for at in (i for i, letter in enumerate(name) if letter == "."):
        inner = values.get(name[:at])
        if isinstance(inner, Mapping):
            return found(inner, name[at + 1 :])
    return None


def unfounded(text: str, evidence: Iterable[Evidence]) -> list[str]:
    """Every number of a text that no evidence holds: not cited, or cited from where it is not. `Code` is left out."""
    known = {record.id: list(numbers(record.values)) for record in evidence}
    plain = CODE.sub("", text)
    problems = []
    for match in CITED.finditer(plain):
        number, scale, source = match[1].replace(",", ""), match[2] or "", match[3]
        if source not in known:
            problems.append(f"'{match[0]}' cites {source}, which is no evidence of this consultation")
        elif not any(rounds_to(value / SCALES[scale], number) for value in known[source]):
            problems.append(f"'{match[0]}': {source} holds no such number")
    loose = LOOSE.findall(CITED.sub("", plain))
    return problems + [f"'{number}' is cited from nothing" for number in loose]


def numbers(values: Any) -> Iterable[float]:
    """All numbers inside a value."""
    if isinstance(values, bool):
        return
    if isinstance(values, int | float):
        yield float(values)
    elif isinstance(values, Mapping):
        for inner in values.values():
            yield from numbers(inner)
    elif isinstance(values, list | tuple):
        for inner in values:
            yield from numbers(inner)


def rounds_to(value: float, written: str) -> bool:
    """Whether a value, rounded as the written number is, is that number."""
    mantissa, _, exponent = written.partition("e")
    if abs(int(exponent or 0)) > LARGEST_EXPONENT:
        return False
    if not float(mantissa):
        return abs(value) <= (0.0 if exponent else 0.500001 * 10.0 ** -len(mantissa.partition(".")[2]))
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(value - float(written)) <= 0.500001 * unit
