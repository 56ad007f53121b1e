"""What every verb gives back."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """Base of all answers."""

    def plain(self) -> dict[str, Any]:
        """Dictionaries, lists, numbers and strings, under the names of the fields."""
        return asdict(self)
