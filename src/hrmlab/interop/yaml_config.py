"""Reading the reference's YAML: defaults list, interpolation, and assignments as on its command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from hrmlab.errors import ConfigError, unknown
from hrmlab.interop.published import ARCH, GROUPS, INSIDE, OPTIONAL, PRETRAIN

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
        merged = OmegaConf.to_container(OmegaConf.merge(config, words), resolve=True)
    except (OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(f"{source}: {(str(error).splitlines() or [''])[0]}") from None
    assert isinstance(merged, dict)
    return _checked({str(key): value for key, value in merged.items()}, str(source))


def family_of(config: dict[str, Any]) -> str:
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
    config = OmegaConf.load(file)
    if not isinstance(config, DictConfig):
        raise ConfigError(f"{file} is no mapping of keys to values")
    group = None
    for entry in config.pop("defaults", None) or []:
        if isinstance(entry, DictConfig) and "arch" in entry:
            group = str(entry["arch"])
    config.pop("hydra", None)
    return config, group


def _group(path: Path, name: str) -> Any:
    """The `arch` file of that name, beside the configuration or as published."""
    home = path if path.is_dir() else path.parent
    for file in (home / "arch" / f"{name}.yaml", home / "config" / "arch" / f"{name}.yaml"):
        if file.is_file():
            return OmegaConf.load(file)
    if name not in GROUPS:
        raise ConfigError(f"{unknown('arch', name, GROUPS)}; {home / 'arch' / (name + '.yaml')} is not there either")
    return ARCH[GROUPS[name]]


def _checked(config: dict[str, Any], where: str) -> dict[str, Any]:
    """With defaults filled in, if every key is known."""
    if not isinstance(config.get("arch"), dict):
        raise ConfigError(f"{where}: 'arch' is missing; wanted the model's keys below it")
    family = family_of(config)
    for key in config.keys() - {"arch"} - PRETRAIN[family].keys() - OPTIONAL.keys():
        raise ConfigError(f"{where}: {unknown('key', str(key), [*PRETRAIN[family], *OPTIONAL])}")
    arch = config["arch"]
    for key in arch.keys() - ARCH[family].keys() - INSIDE:
        raise ConfigError(f"{where}: {unknown('key', f'arch.{key}', [f'arch.{name}' for name in ARCH[family]])}")
    loss = arch.get("loss") or {}
    for key in loss.keys() - {"name", "loss_type"}:
        raise ConfigError(f"{where}: {unknown('key', f'arch.loss.{key}', ['arch.loss.name', 'arch.loss.loss_type'])}")
    return OPTIONAL | PRETRAIN[family] | config | {"arch": ARCH[family] | arch | {"loss": ARCH[family]["loss"] | loss}}
