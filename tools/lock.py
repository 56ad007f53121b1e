"""Write requirements.lock: every package of every extra, for every platform and Python, each with its SHA-256.

`python tools/lock.py [--upgrade]`, with the extra `supply` (uv) installed; `make lock`. Versions stay as they are
unless `--upgrade` is given. uv resolves all extras together, so that they agree; then each alone, which tells what asks
for what.

torch has two builds of one version. PyPI's are in the lock as any package's; the CPU wheels lie on PyTorch's own index,
which is read for their hashes. Where it does not answer, those that the lock already has are kept.
"""

import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
CPU_INDEX = "https://download.pytorch.org/whl/cpu/torch/"
BUILD = ["editables>=0.5", "pip>=26.3"]  # hatchling asks for the first in place; the pip that Python brings is old
NAME = re.compile(r"[a-z0-9][a-z0-9.-]*(?===)")
HEAD = """\
# Written by `make lock`; every platform, Python 3.11 to 3.13. `tools/setup.py` installs from it, by hash.
# `for`: the extras that ask for a package. base: hrm-lab itself; build: its build; torch, torch-cpu: the two builds of
# torch (PyPI's and PyTorch's own), of which one is installed; cuda: what PyPI's build asks for on Linux.
"""


def main(arguments: list[str]) -> int:
    wanted = requirements()
    everything = [line for lines in wanted.values() for line in lines]
    present = LOCK.read_text(encoding="utf-8") if LOCK.exists() else ""
    kept = [] if "--upgrade" in arguments else pins(present)
    found = parse(resolve(everything, kept, "--generate-hashes"))
    packages = {name: text for name, text in found.items() if "== 'emscripten'" not in text}  # runs no torch
    versions = [text.split()[0] for text in packages.values()]
    groups = {name: set(parse(resolve(lines, versions))) for name, lines in wanted.items()}
    without = set(parse(resolve(wanted["torch"], versions, "--python-platform", "windows", universal=False)))
    groups |= {"base": groups["base"] | without - {"torch"}, "cuda": groups["torch"] - without, "torch": {"torch"}}
    version = packages["torch"].split()[0].partition("==")[2]
    blocks = [f"# for: {asked_by(name, groups)}\n{text}" for name, text in sorted(packages.items())]
    blocks.append(f"# for: torch-cpu\n{entry(f'torch=={version}+cpu', cpu_hashes(version, present))}")
    LOCK.write_text(HEAD + "".join(blocks), encoding="utf-8")
    return 0


def requirements() -> dict[str, list[str]]:
    """What pyproject.toml asks for, by group; torch is a group of its own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    own = project["project"]["dependencies"]
    torch = [line for line in own if line.startswith("torch")]
    base = [line for line in own if line not in torch]
    build = [*project["build-system"]["requires"], *BUILD]
    return {"base": base, "build": build, "torch": torch, **project["project"]["optional-dependencies"]}


def asked_by(name: str, groups: dict[str, set[str]]) -> str:
    """The groups with this package, in order; base alone if it is there, since base always comes."""
    found = [group for group, names in sorted(groups.items()) if name in names]
    return "base" if "base" in found else " ".join(found)


def pins(lock: str) -> list[str]:
    return re.findall(r"^(?!torch==.*\+)[a-z0-9][^\s;]*==[^\s;]+", lock, flags=re.MULTILINE)


def parse(output: str) -> dict[str, str]:
    """Each package's entry, with its hashes, by name."""
    entries: dict[str, str] = {}
    for line in output.splitlines(keepends=True):
        if found := NAME.match(line):
            if (name := found.group()) in entries:
                raise SystemExit(f"lock: two versions of {name}; narrow it in pyproject.toml to one for every Python")
            entries[name] = line
        elif line.startswith("    --hash"):
            entries[name] += line
    return entries


def resolve(lines: list[str], constraints: Iterable[str], *options: str, universal: bool = True) -> str:
    """uv's answer for these requirements within these versions."""
    limits = ROOT / ".lock.constraints"
    limits.write_text("\n".join(constraints), encoding="utf-8")
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", "--no-annotate", "--no-header"]
    command += ["--python-version", "3.11", "--constraints", str(limits), *options, *["--universal"] * universal]
    try:
        return subprocess.run(
            command, cwd=ROOT, input="\n".join(lines), text=True, check=True, stdout=subprocess.PIPE
        ).stdout
    finally:
        limits.unlink()


def cpu_hashes(version: str, present: str) -> list[str]:
    """Of the CPU wheels of this version for the supported Pythons, from PyTorch's index or the present lock."""
    wheels = rf"torch-{re.escape(version)}(?:\+|%2B)cpu-cp31[123]-cp31[123]-[^\"#]*\.whl#sha256=([0-9a-f]{{64}})"
    try:
        with urllib.request.urlopen(CPU_INDEX, timeout=20) as page:
            found = re.findall(wheels, page.read().decode())
    except urllib.error.URLError as error:
        print(f"lock: {CPU_INDEX} did not answer ({error.reason}); its hashes stay as they are", file=sys.stderr)
        block = present.partition(f"torch=={version}+cpu")[2].partition("#")[0]
        found = re.findall(r"sha256:([0-9a-f]{64})", block)
    if not found:
        raise SystemExit(f"lock: no CPU wheel of torch {version} is known; run this where {CPU_INDEX} is reached")
    return sorted(set(found))


def entry(pin: str, hashes: list[str]) -> str:
    return " \\\n    ".join([pin, *(f"--hash=sha256:{digest}" for digest in hashes)]) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
