"""Where runs compute, as text: `local`, `ray,address=10.0.0.1:6379,gpus=1`, `slurm,partition=gpu,minutes=600`."""

from typing import Any

from hrmlab.config import decode, literal
from hrmlab.errors import ConfigError
from hrmlab.studies.engines import ENGINES, Engine


def study_engine(given: str | Engine) -> Engine:
    """An engine from its name and settings.

    Raises:
        ConfigError: an unknown engine or setting, or a setting without a value.
    """
    if isinstance(given, Engine):
        return given
    kind, *settings = (word.strip() for word in given.split(","))
    ENGINES.get(kind)
    data: dict[str, Any] = {"kind": kind}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not value:
            raise ConfigError(f"'{setting}' came in --engine {given}; wanted key=value, e.g. slurm,partition=gpu")
        data[name] = literal(value)
    engine: Engine = decode(Engine, data, f"--engine {given}")  # type: ignore[type-abstract]
    return engine
