"""What a STUDY on the command line stands for."""

from importlib import import_module
from pathlib import Path

from hrmlab.api.settings import import_parts
from hrmlab.config import load_json
from hrmlab.errors import ConfigError
from hrmlab.presets.studies import shipped_study
from hrmlab.studies.plan import Study


def find_study(source: str | Path | Study, *, quick: bool = False) -> Study:
    """A study itself, a JSON file, `module:function` giving one, or the name of a shipped one.

    Args:
        quick: the reduced form, which shipped studies have.

    Raises:
        ConfigError: nothing of that name, it does not decode, or it has no reduced form.
    """
    text = str(source) if not isinstance(source, Study) else source.name
    own = isinstance(source, Study) or text.endswith(".json") or ":" in text
    if own and quick:
        raise ConfigError(f"--quick came with '{text}'; only shipped studies have a reduced form (`hrm catalog study`)")
    if isinstance(source, Study):
        return source
    if text.endswith(".json"):
        return load_json(Path(text), Study)
    return _made(text) if own else shipped_study(text, quick=quick)


def _made(text: str) -> Study:
    module, _, function = text.partition(":")
    import_parts([module])
    make = getattr(import_module(module), function, None)
    study = make() if callable(make) else None
    if not isinstance(study, Study):
        raise ConfigError(f"'{text}' gave no study; wanted module:function that gives a hrmlab.studies.plan.Study")
    return study
