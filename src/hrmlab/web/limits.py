"""How much of everything a server takes on."""

from dataclasses import dataclass

from hrmlab.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """What is refused when it is more.

    queue: puzzles that wait for a slot.
    batch: puzzles of one request.
    body: bytes of one request.
    timeout: seconds until a puzzle is given up; a request may ask for less.
    upload: seconds that a body may take to come.

    Raises:
        ConfigError: none is left to serve.
    """

    queue: int = 1024
    batch: int = 256
    body: int = 1 << 20
    timeout: float = 60.0
    upload: float = 10.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ConfigError(f"--{name} {value} came; wanted more than 0")
