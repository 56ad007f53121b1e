"""What a language model may use up in one consultation."""

import math
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING

from hrmlab.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_ai.usage import UsageLimits


WHOLE = ("requests", "tool_calls", "tokens")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits of talking; trials have their own (seeds and steps).

    requests: to the model. tool_calls: that it makes. tokens: read and written, all requests together. usd: what they
    cost by list prices, where these are known. minutes: of talking and measuring before the trials, and again after.
    """

    requests: int = 40
    tool_calls: int = 60
    tokens: int = 400_000
    usd: float | None = None
    minutes: float = 30.0

    def limits(self) -> "UsageLimits":
        """The same for pydantic-ai, which raises UsageLimitExceeded."""
        from pydantic_ai.usage import UsageLimits

        return UsageLimits(
            request_limit=self.requests,
            tool_calls_limit=self.tool_calls,
            total_tokens_limit=self.tokens,
            cost_limit=None if self.usd is None else Decimal(str(self.usd)),
        )


def budget(text: str | None) -> Budget:
    """From `requests=20,usd=0.5`; what is not named keeps its default.

    Raises:
        ConfigError: an unknown limit, or a value that is not a number above 0.
    """
    given: dict[str, float] = {}
    known = {field.name for field in fields(Budget)}
    for part in filter(None, (text or "").split(",")):
        name, _, value = part.strip().partition("=")
        try:
            given[name] = float(value)
        except ValueError:
            given[name] = -1.0
        least = 1.0 if name in WHOLE else 0.0
        if name not in known or not math.isfinite(given[name]) or given[name] < least or not given[name]:
            raise ConfigError(f"--budget {part} came; wanted {', '.join(f'{n}=N' for n in sorted(known))}, above 0")
    whole = {name: int(value) for name, value in given.items() if name in WHOLE}
    return Budget(**{**given, **whole})  # type: ignore[arg-type]
