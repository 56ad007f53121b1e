"""Extras: optional packages, what each brings, and whether it is here."""

import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version

from hrmlab.results import Engine

EXTRAS = {
    "report": "figures: `hrm report`, `hrm ablate`, `hrm tune`, `hrm inspect --out FILE.svg`",
    "web": "`hrm serve`",
    "mcp": "`hrm mcp`: the specialist's tools for coding agents",
    "agent": "`hrm specialist --model`: a language model that proposes",
    "hub": "runs and data sets of the Hugging Face Hub, by owner/name",
    "gpu": "Triton for the fused kernels, where torch did not bring it",
    "ray": "`hrm ablate --engine ray`, `hrm tune --engine ray`",
    "slurm": "`hrm ablate --engine slurm`, `hrm tune --engine slurm`",
    "studies": "`hrm tune`",
    "arc": "`hrm data build arc` without files of your own",
    "export": "`hrm export --format onnx`",
    "text": "tokenizers and settings of HRM-Text by their names on the Hub",
    "tensorboard": "`training.tensorboard=true`",
}
"""What each extra brings, but for those that are for work on hrm-lab itself. The README's table is made of this."""
NEED = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*\])?(?P<limits>[^;]*);(?P<marker>.*)")


def extras() -> list[Engine]:
    """Every extra: its packages and their versions, or which are missing or too old and what to type."""
    return [Engine(name, *_here(name, brings)) for name, brings in EXTRAS.items()]


def _here(extra: str, brings: str) -> tuple[bool, str]:
    found: list[str] = []
    wanting: list[str] = []
    for line in requires("hrm-lab") or ():
        need = NEED.fullmatch(line)
        if need is None or f"extra == '{extra}'" not in need["marker"].replace('"', "'"):
            continue
        if "Linux" in need["marker"] and platform.system() != "Linux":
            return False, f"{brings}; there is none for {platform.system()}, plain torch computes the same"
        name, limits = need["name"], need["limits"].strip(" ()")
        try:
            number = version(name)
        except PackageNotFoundError:
            wanting.append(name)
            continue
        if _new_enough(number, limits):
            found.append(f"{name} {number}")
        else:
            wanting.append(f"{name} newer than {number}")
    if wanting or not found:
        return False, f"{brings}; wants {', '.join(wanting) or 'it'}: pip install 'hrm-lab[{extra}]'"
    return True, f"{brings}; {', '.join(found)}"


def _new_enough(number: str, limits: str) -> bool:
    least = re.search(r">=\s*([\d.]+)", limits)
    return least is None or _parts(number) >= _parts(least[1])


def _parts(number: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", number.partition("+")[0])[:3]]
