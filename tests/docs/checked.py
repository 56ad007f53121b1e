"""A command that cannot be run here, read as far as it can be: every word means something to whoever takes it."""

import re
import tomllib
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from docs.pages import ROOT

from hrmlab.api.configuring import configure
from hrmlab.api.places import study_engine
from hrmlab.api.rules import spelled_out
from hrmlab.api.settings import import_parts
from hrmlab.api.study_sources import find_study
from hrmlab.api.targets import find_config
from hrmlab.cli.arguments import Verb, parse
from hrmlab.cli.verbs import VERBS
from hrmlab.errors import MissingExtraError
from hrmlab.presets import PRESETS
from hrmlab.tasks import TASKS
from hrmlab.training.overrides import override_run

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def read(words: tuple[str, ...]) -> tuple[Verb, Namespace]:
    """The verb of a command line and its options.

    Raises:
        AssertionError: no such verb; ConfigError: an option or a word that it does not take.
    """
    for count in (2, 1):
        for verb in VERBS:
            if verb.name == " ".join(words[:count]):
                return verb, parse(verb, words[count:])
    raise AssertionError(f"no verb '{words[0]}'")


def resolved(verb: Verb, options: Namespace) -> None:
    """Look up what the words of a verb name: target, overrides, study, rule."""
    import_parts(getattr(options, "import"))
    if plugin := getattr(options, "plugin", None):
        import_parts([Path(plugin).stem])
    overrides = getattr(options, "key=value", [])
    if verb.name == "ablate":
        study = find_study(options.study, quick=options.quick)
        with suppress(MissingExtraError):  # Ray is not installed here
            study_engine(options.engine)
        base = override_run(find_config(study.base), spelled_out([*study.overrides, *overrides]))
        for factor in study.factors.values():
            for changes in factor.values():
                override_run(base, spelled_out(changes))
        return
    if verb.name == "data build":
        assert options.task in (*PRESETS, *TASKS.names()), f"no task {options.task}"
        return
    for name in ("target", "run", "task", "preset"):
        if isinstance(target := getattr(options, name, None), str):
            configure(target, [*overrides, *rule(options)])
            return


def rule(options: Namespace) -> list[str]:
    found = getattr(options, "halting", None)
    return [f"evaluation={found}"] if found else []


def extras(text: str) -> None:
    """`'hrm-lab[a,b]'` names extras that there are."""
    for names in re.findall(r"hrm-lab\[([^\]]+)\]", text):
        assert set(names.split(",")) <= set(EXTRAS), f"no extra {names}"


def script(words: tuple[str, ...]) -> None:
    """A script of the repository is there, and speaks of each option that it is given."""
    path = ROOT / words[0]
    assert path.is_file(), f"no script {words[0]}"
    text = path.read_text(encoding="utf-8")
    for word in words[1:]:
        if word.startswith("--"):
            assert f'"{word.partition("=")[0]}"' in text, f"{words[0]} does not know {word}"


def torchrun(words: tuple[str, ...]) -> None:
    """The words of torchrun, and those of the program that it starts."""
    from torch.distributed.run import get_args_parser

    found = get_args_parser().parse_args([word.replace("$SLURM_NNODES", "4") for word in words])
    assert found.module and found.training_script == "hrmlab", "wanted `-m hrmlab`"
    verb, options = read(tuple(found.training_script_args))
    if not options.resume and not str(getattr(options, "key=value")).count("/shared/"):
        resolved(verb, options)


def folders(words: tuple[str, ...]) -> None:
    """Paths of tests are there."""
    for word in words:
        if word.startswith("tests"):
            assert (ROOT / Path(word)).exists(), f"no {word}"
