"""Halting rules as text: `correctness,threshold=0.9` or `any_of(confidence, answer_stability),max_segments=32`.

rules := rule, setting...          settings behind the rule belong to it
rule := kind | kind(rule or setting, ...)
"""

import json
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from hrmlab.config import decode, encode, literal
from hrmlab.errors import ConfigError
from hrmlab.halting import HALTING, HaltingConfig

_TOKEN = re.compile(r"\s*([(),=]|[^(),=\s]+)")


def halting_rule(text: str | None, default: HaltingConfig) -> HaltingConfig:
    """A policy from text; the limit of segments is the default's unless given.

    Raises:
        ConfigError: an unknown kind or key, or a parenthesis that is not closed.
    """
    if text is None:
        return default
    data = {"max_segments": default.max_segments} | _Reader(text).whole()
    return _decoded(data, f"--halting {text}")


def spelled_out(assignments: Sequence[str]) -> list[str]:
    """Overrides in which `halting=RULE` and `evaluation=RULE`, as they are typed after `--halting`, are JSON.

    What is not said is the rule's own default, as where a part is chosen by its bare name.

    Raises:
        ConfigError: as `halting_rule`.
    """
    return [_spelled_out(*assignment.partition("=")) for assignment in assignments]


def _spelled_out(key: str, equals: str, text: str) -> str:
    typed = key.strip() in ("halting", "evaluation") and text[:1] != "{" and any(mark in text for mark in ",(")
    if not typed:
        return f"{key}{equals}{text}"
    return f"{key}={json.dumps(encode(_decoded(_Reader(text, f'{key}=').whole(), f'{key}={text}')))}"


def _decoded(data: dict[str, Any], what: str) -> HaltingConfig:
    rule: HaltingConfig = decode(HaltingConfig, data, what)  # type: ignore[type-abstract]
    return rule


class _Reader:
    """A recursive descent over the tokens of one rule."""

    def __init__(self, text: str, after: str = "--halting ") -> None:
        self.text, self.after, self.tokens = text, after, _TOKEN.findall(text)

    def whole(self) -> dict[str, Any]:
        data = self._part()
        if not isinstance(data, dict):
            raise self._error(f"'{'='.join(data)}'", "the name of a rule first, e.g. correctness,threshold=0.9")
        while self.tokens:
            self._take(",")
            self._add(data, self._part())
        return data

    def _part(self) -> dict[str, Any] | tuple[str, str]:
        """A rule, or a `key=value`."""
        name = self._word()
        if self._next() == "=":
            self._take("=")
            return name, self._word()
        if any(name == field.name for entry in HALTING for field in fields(entry.config)):
            raise self._error(f"'{name}' without a value", f"key=value, e.g. {name}=8")
        HALTING.get(name)
        data: dict[str, Any] = {"kind": name}
        if self._next() == "(":
            self._take("(")
            while self._next() != ")":
                self._add(data, self._part())
                if self._next() != ")":
                    self._take(",")
            self._take(")")
        return data

    def _add(self, data: dict[str, Any], part: dict[str, Any] | tuple[str, str]) -> None:
        if isinstance(part, tuple):
            data[part[0]] = literal(part[1])
        else:
            data.setdefault("rules", []).append(part)

    def _next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def _word(self) -> str:
        if not self.tokens or self.tokens[0] in "(),=":
            raise self._error(f"'{self._next() or 'the end'}'", "a name or a value")
        return str(self.tokens.pop(0))

    def _take(self, token: str) -> None:
        if self._next() != token:
            raise self._error(f"'{self._next() or 'the end'}'", f"'{token}'")
        self.tokens.pop(0)

    def _error(self, came: str, wanted: str) -> ConfigError:
        return ConfigError(f"{came} came in {self.after}{self.text}; wanted {wanted}")
