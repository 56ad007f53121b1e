"""Write THIRD_PARTY.md: the licence of every package in requirements.lock, as the package itself states it.

`python tools/licences.py`, with the extra `supply` installed (a pip that reads metadata without downloading the rest);
part of `make lock`. A licence that is not recognised ends it: put it into NAMES, or the package into STATED.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAMES = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "bsd": "BSD",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd license": "BSD",
    "bsd-3-clause": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "licenseref-nvidia-proprietary": "LicenseRef-NVIDIA-Proprietary",
    "mit": "MIT",
    "mit license": "MIT",
    "mit or apache-2.0": "MIT OR Apache-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mpl-2.0": "MPL-2.0",
    "mpl-2.0 and mit": "MPL-2.0 AND MIT",
    "nvidia proprietary software": "LicenseRef-NVIDIA-Proprietary",
    "psf": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
}
STATED = {"cuda-toolkit": "LicenseRef-NVIDIA-Proprietary"}  # states nothing, and only names NVIDIA's libraries
HEAD = """\
# Packages of others

Written by `make lock` from what each package in [requirements.lock](requirements.lock) states of itself. None of them
is part of hrm-lab or is handed on with it: pip fetches them. **For** is the extra that asks for a package (base:
hrm-lab itself; build: its build; cuda: what PyPI's build of torch asks for on Linux). Those not permissive are
explained in [SECURITY.md](SECURITY.md#licences).

| package | version | licence | for |
|---|---|---|---|
"""


def main() -> int:
    blocks = (ROOT / "requirements.lock").read_text(encoding="utf-8").split("# for: ")[1:]
    groups, entries = {}, {}
    for block in blocks:
        names, _, entry = block.partition("\n")
        pin = re.sub(r" ;.*?\\", r" \\", entry, count=1)  # of every platform
        if names != "torch-cpu":
            groups[pin.split("==")[0]], entries[pin.split("==")[0]] = names, (pin, "win32" in entry.split("\\")[0])
    elsewhere = [pin for pin, windows in entries.values() if windows]
    found = metadata([pin for pin, windows in entries.values() if not windows])
    found += metadata(elsewhere, "--platform", "win_amd64")
    rows = {canonical(item["name"]): (item["version"], licence(item)) for item in found}
    table = "".join(f"| {name} | {' | '.join(rows[name])} | {groups[name]} |\n" for name in sorted(groups))
    (ROOT / "THIRD_PARTY.md").write_text(HEAD + table, encoding="utf-8")
    return 0


def metadata(entries: list[str], *options: str) -> list[dict[str, Any]]:
    """What these packages state, by pip; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, report = Path(folder, "wanted.txt"), Path(folder, "report.json")
        wanted.write_text("".join(entries), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
        command += ["--require-hashes", "--only-binary", ":all:", "--target", folder, *options]
        subprocess.run([*command, "--report", str(report), "--requirement", str(wanted)], check=True)
        return [item["metadata"] for item in json.loads(report.read_text(encoding="utf-8"))["install"]]


def licence(stated: Mapping[str, Any]) -> str:
    """The licence that a package states: as an expression, in words that are known, or by its classifiers."""
    if expression := stated.get("license_expression"):
        return str(expression)
    if (name := canonical(stated["name"])) in STATED:
        return STATED[name]
    marks = [mark.split(" :: ")[-1] for mark in stated.get("classifier", []) if mark.startswith("License :: ")]
    words = [(stated.get("license") or "").partition("\n")[0].strip(), *marks]
    known = dict.fromkeys(NAMES[word.lower()] for word in words if word.lower() in NAMES)
    if not known:
        raise SystemExit(f"licences: {name} states {words}, which tools/licences.py does not know")
    return next(iter(known))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
