"""Reading the reference's YAML: defaults list, interpolation, and assignments as on its command line."""

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from hrmlab.errors import ConfigError, unknown
from hrmlab.interop.published import ARCH, GROUPS, INSIDE, OPTIONAL, PRETRAIN
from hrmlab.reading import is_name, read_text

_KEY = re.compile(r"\$\{[\w.\[\]]+\}")
_LARGEST, _LONG = 2**63, "a whole number in it has too many digits"
_SLIPS = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
"""What OmegaConf's own reading ends in where it did not think of something."""
_KEYS = "it has a key that is no text"
_GROUP_OF = {family: name for name, family in GROUPS.items()}


def read(source: str | Path, assignments: Sequence[str] = ()) -> dict[str, Any]:
    """One merged configuration, nested and plain, with every default filled in.

    Args:
        source: `cfg_pretrain.yaml`, an `all_config.yaml`, a folder holding one of them, or "hrm" or "trm" for the
            published defaults.
        assignments: `key=value` or `+key=value` with dotted keys, as the reference's own command line takes.

    Raises:
        ConfigError: no such file, bad YAML, an unknown key, or an interpolation that leads nowhere.
    """
    path, overrides = Path(source), [word.lstrip("+") for word in assignments]
    for word in overrides:
        if "=" not in word:
            raise ConfigError(f"'{word}' came; wanted key=value as on the reference's command line")
    chosen = next((word.partition("=")[2] for word in overrides if word.startswith("arch=")), None)
    try:
        if str(source) in PRETRAIN and not path.exists():
            config = OmegaConf.create(PRETRAIN[str(source)])
            group: str | None = _GROUP_OF[str(source)]
        else:
            config, group = _load(_file(path))
        if name := chosen or group:
            config["arch"] = OmegaConf.merge(_group(path, name), config.get("arch") or {})
        words = OmegaConf.from_dotlist([word for word in overrides if not word.startswith("arch=")])
        _check_values(words, "the assignments")
        whole = OmegaConf.merge(config, words)
        family = _check(whole, str(source))
        whole = OmegaConf.merge(OPTIONAL, PRETRAIN[family], {"arch": ARCH[family]}, whole)
        merged = OmegaConf.to_container(whole, resolve=True, throw_on_missing=True)
    except (OmegaConfBaseException, YAMLError, OSError, RecursionError, *_SLIPS) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{source}: {_why(error)}") from None
    assert isinstance(merged, dict)
    plain = {str(key): value for key, value in merged.items()}
    _check_types(plain, family, str(source))
    return plain


def family_of(config: Mapping[str, Any]) -> str:
    """ "hrm" or "trm", by the model's class.

    Raises:
        ConfigError: another model.
    """
    name = str(config["arch"].get("name", ""))
    for family, defaults in ARCH.items():
        if name.partition("@")[2] == str(defaults["name"]).partition("@")[2]:
            return family
    known = ", ".join(str(defaults["name"]) for defaults in ARCH.values())
    raise ConfigError(f"arch.name {name!r} came; the models that can be translated are: {known}")


def _file(path: Path) -> Path:
    if path.is_dir():
        for name in ("all_config.yaml", "cfg_pretrain.yaml", "config/cfg_pretrain.yaml"):
            if (path / name).is_file():
                return path / name
        raise ConfigError(f"{path} holds neither all_config.yaml nor cfg_pretrain.yaml")
    if not path.is_file():
        raise ConfigError(
            f"no configuration at {path}; wanted the reference's YAML, or 'hrm' or 'trm' for its defaults"
        )
    return path


def _load(file: Path) -> tuple[DictConfig, str | None]:
    """A file without its defaults list and Hydra's own settings, and the `arch` file that it asks for."""
    config = _parsed(file)
    if not isinstance(config, DictConfig):
        raise ConfigError(f"{file} is no mapping of keys to values")
    group = None
    if not isinstance(listed := config.pop("defaults", None) or [], (list, ListConfig)):
        raise ConfigError(f"{file}: defaults={listed!r} came; wanted a list, as Hydra's files have")
    for entry in listed:
        if isinstance(entry, DictConfig) and "arch" in entry:
            group = str(entry["arch"])
    config.pop("hydra", None)
    return config, group


def _group(path: Path, name: str) -> Any:
    """The `arch` file of that name, beside the configuration or as published."""
    if not is_name(name):
        raise ConfigError(f"arch={name} came; wanted {' or '.join(GROUPS)}, or a file's name in arch/ without .yaml")
    home = path if path.is_dir() else path.parent
    for file in (home / "arch" / f"{name}.yaml", home / "config" / "arch" / f"{name}.yaml"):
        if file.is_file():
            return _parsed(file)
    if name not in GROUPS:
        raise ConfigError(f"{unknown('arch', name, GROUPS)}; {home / 'arch' / (name + '.yaml')} is not there either")
    return ARCH[GROUPS[name]]


def _parsed(file: Path) -> Any:
    config = OmegaConf.load(io.StringIO(read_text(file)))
    _check_values(config, str(file))
    return config


def _check_values(config: Any, where: str) -> None:
    """Raises ConfigError for an interpolation of anything but a key, as others read the environment or make values, and
    for a number that nothing counts to."""
    waiting = [OmegaConf.to_container(config, resolve=False)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list)):
            waiting += [*value, *value.values()] if isinstance(value, dict) else value
        elif isinstance(value, str) and "${" in _KEY.sub("", value):
            raise ConfigError(f"{where}: {value} came; wanted a value, or a key of this file as in ${{.hidden_size}}")
        elif isinstance(value, int) and abs(value) >= _LARGEST:
            raise ConfigError(f"{where}: {_LONG}")


def _why(error: Exception) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        problem = _KEYS if "unhashable" in str(error.problem) else error.problem
        return f"{problem} in line {error.problem_mark.line + 1}"
    if isinstance(error, RecursionError):
        return "it is nested deeper than can be read"
    if isinstance(error, _SLIPS) and not isinstance(error, (OmegaConfBaseException, ValueError, OverflowError)):
        return "a key or a value in it has a form that cannot be read"
    if isinstance(error, OSError):
        return f"it cannot be read: {error.strerror}"
    if "expansion" in (said := (str(error).splitlines() or [""])[0]):
        return "its aliases come to more than 10,000 values"
    if "key type" in said:
        return _KEYS
    return _LONG if "digits" in said else said


def _check(config: Any, where: str) -> str:
    """The family, if every key is known there; else raises ConfigError."""
    if not isinstance(config, DictConfig) or not isinstance(config.get("arch"), DictConfig):
        raise ConfigError(f"{where}: 'arch' is missing; wanted the model's keys below it")
    family = family_of(config)
    loss = config["arch"].get("loss", {})
    if not isinstance(loss, (dict, DictConfig)):
        raise ConfigError(f"{where}: arch.loss={loss!r} came; wanted its keys: arch.loss.loss_type=...")
    known = ["arch", *PRETRAIN[family], *OPTIONAL], [*ARCH[family], *INSIDE], ["name", "loss_type"]
    for prefix, keys, names in zip(("", "arch.", "arch.loss."), (config, config["arch"], loss), known, strict=True):
        for key in map(str, keys):
            if key not in names:
                raise ConfigError(f"{where}: {unknown('key', prefix + key, [prefix + name for name in names])}")
    return family


def _check_types(config: dict[str, Any], family: str, where: str) -> None:
    """Raises ConfigError for a value that is not of its default's type, or a number below zero."""
    for key, default in PRETRAIN[family].items():
        value = config[key]
        if key == "eval_interval" and value is None:  # the reference then evaluates once
            continue
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        kind = "true or false" if isinstance(default, bool) else "a list" if isinstance(default, list) else "text"
        if isinstance(default, (int, float)) and not isinstance(default, bool):
            whole = key == "global_batch_size" or key.endswith("_steps")
            kind = "a whole number, 0 or more" if whole else "a number, 0 or more"
            fits = number and 0 <= value < float("inf") and (not whole or isinstance(value, int))
        else:
            fits = isinstance(value, type(default)) or (isinstance(default, list) and value is None)
        if not fits:
            raise ConfigError(f"{where}: {key}={value!r} came; wanted {kind}")
    for key in ("global_batch_size", "epochs"):
        if not config[key]:
            raise ConfigError(f"{where}: {key}={config[key]} came; wanted 1 or more")
    for key in config.keys() & {"beta1", "beta2", "ema_rate", "lr_min_ratio"}:
        if config[key] > 1 or (config[key] == 1 and key != "lr_min_ratio"):
            raise ConfigError(f"{where}: {key}={config[key]} came; wanted a share, 0 to 1")
    if not isinstance(config["seed"], (int, type(None))):
        raise ConfigError(f"{where}: seed={config['seed']!r} came; wanted a whole number")
