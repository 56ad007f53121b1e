"""CITATION.cff says what the project says, in the form that version 1.2.0 of the Citation File Format asks for."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
KEYS = {
    "abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers", "keywords",
    "license", "license-url", "message", "preferred-citation", "references", "repository", "repository-artifact",
    "repository-code", "title", "type", "url", "version",
}  # fmt: skip
PERSON = {"affiliation", "alias", "family-names", "given-names", "name", "name-particle", "name-suffix", "orcid"}


def test_it_is_of_the_form() -> None:
    assert {"cff-version", "message", "title", "authors"} <= set(CITATION) <= KEYS
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] in {"software", "dataset"}
    for entry in [CITATION, *CITATION["references"]]:
        assert entry["title"] and entry["authors"]
        assert all(set(author) <= PERSON and author for author in entry["authors"])
    for reference in CITATION["references"]:
        assert reference["type"] == "article"
        assert all(set(one) == {"type", "value"} and one["type"] == "other" for one in reference["identifiers"])


def test_it_says_what_the_project_says() -> None:
    assert CITATION["version"] == PROJECT["version"] and CITATION["license"] == PROJECT["license"]
    assert [author["name"] for author in CITATION["authors"]] == [author["name"] for author in PROJECT["authors"]]
