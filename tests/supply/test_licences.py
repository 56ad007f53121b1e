"""THIRD_PARTY.md names the licence of every locked package, and each is one that hrm-lab can depend on."""

import importlib.metadata
import re

import pytest
from supply.lock import ROOT, Entry, entries, tool

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "ISC", "MIT",
    "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib",
}  # fmt: skip
EXCEPTIONS = {"LLVM-exception"}
EXPLAINED = {"MPL-2.0", "LicenseRef-NVIDIA-Proprietary"}
LIST = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8").split("|---|\n")[1]
ROWS = re.findall(r"^\| ([a-z0-9-]+) \| (\S+) \| ([^|]+) \| ([a-z -]+) \|$", LIST, re.MULTILINE)
LOCKED = [entry for entry in entries() if "torch-cpu" not in entry.groups]


def unaccepted(licence: str) -> set[str]:
    """The parts of a licence that are neither permissive nor explained; of alternatives one suffices."""
    sides = [set(re.findall(r"[\w.-]+", side)) - {"AND", "WITH"} for side in licence.split(" OR ")]
    return min((side - PERMISSIVE - EXCEPTIONS - EXPLAINED for side in sides), key=len)


def test_the_list_is_in_step_with_the_lock() -> None:
    """`make lock` writes both."""
    assert [(name, version, groups) for name, version, _, groups in ROWS] == [
        (entry.name, entry.version, " ".join(sorted(entry.groups))) for entry in LOCKED
    ]


@pytest.mark.parametrize(("name", "licence"), [(row[0], row[2]) for row in ROWS])
def test_each_licence_lets_hrm_lab_depend_on_it(name: str, licence: str) -> None:
    assert not unaccepted(licence)


@pytest.mark.parametrize(
    ("licence", "left"),
    [
        ("GPL-3.0-only", {"GPL-3.0-only"}),
        ("MIT AND LGPL-2.1-or-later", {"LGPL-2.1-or-later"}),
        ("AGPL-3.0-only OR SSPL-1.0", {"AGPL-3.0-only"}),
        ("GPL-2.0-only OR MIT", set()),
        ("Apache-2.0 WITH LLVM-exception", set()),
    ],
)
def test_licences_that_ask_for_more_are_told_apart(licence: str, left: set[str]) -> None:
    assert unaccepted(licence) == left


def test_licences_that_are_not_permissive_are_explained() -> None:
    """By name of the package, where it is not one of NVIDIA's, which come with their build of torch alone."""
    explained = (ROOT / "SECURITY.md").read_text(encoding="utf-8").split("## Licences")[1]
    for name, _, licence, groups in ROWS:
        if "LicenseRef-NVIDIA" in licence:
            assert groups == "cuda" and "NVIDIA" in explained
        elif set(re.findall(r"[\w.-]+", licence)) & EXPLAINED:
            assert name in explained


@pytest.mark.parametrize("entry", LOCKED, ids=lambda entry: entry.name)
def test_the_list_says_what_installed_packages_state(entry: Entry) -> None:
    try:
        stated = importlib.metadata.metadata(entry.name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("not installed here")
    if stated["Version"].partition("+")[0] != entry.version:
        pytest.skip(f"{stated['Version']} is installed")
    (row,) = [licence for name, _, licence, _ in ROWS if name == entry.name]
    assert tool("licences").licence(stated.json) == row


def test_a_licence_that_is_not_known_ends_the_listing() -> None:
    with pytest.raises(SystemExit, match="new-package states"):
        tool("licences").licence({"name": "New_Package", "license": "Ask me", "classifier": []})


def test_an_expression_comes_before_words_and_words_before_classifiers() -> None:
    licence = tool("licences").licence
    marks = {"name": "x", "classifier": ["License :: OSI Approved :: BSD License"]}
    assert licence(marks) == "BSD"
    assert licence(marks | {"license": "MIT License\n\nCopyright (c) someone"}) == "MIT"
    assert licence(marks | {"license": "MIT", "license_expression": "ISC"}) == "ISC"
