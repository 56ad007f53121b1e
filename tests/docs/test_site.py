"""The site is built without a warning, and every link in it leads somewhere."""

import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from docs.pages import PAGES, ROOT

pytest.importorskip("sphinx", reason="wants `python3 tools/setup.py docs`")
pytest.importorskip("myst_parser", reason="wants `python3 tools/setup.py docs`")
pytest.importorskip("furo", reason="wants `python3 tools/setup.py docs`")


class Page(HTMLParser):
    """What a page points at, what it fetches by itself, and the places in it that can be pointed at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.places: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag in ("img", "script", "link", "iframe", "source"):
            self.fetched += [found[name] for name in ("src", "href") if name in found]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", ".", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return out


@cache
def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_every_page_is_in_it(site: Path) -> None:
    assert {site / Path(page).with_suffix(".html") for page in PAGES} <= set(pages(site))
    assert "url=docs/index.html" in (site / "index.html").read_text(encoding="utf-8")


def test_every_link_leads_somewhere(site: Path) -> None:
    lost = []
    for path in pages(site):
        for link in (*read(path).links, *read(path).fetched):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link.startswith("data:"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = target.is_file() and (target.suffix != ".html" or unquote(parts.fragment) in read(target).places)
            if not there and path.name not in ("search.html", "genindex.html"):
                lost.append(f"{path.relative_to(site)}: {link}")
    assert not lost, "\n".join(lost)


def test_links_that_leave_are_well_formed(site: Path) -> None:
    found = {link for path in pages(site) for link in read(path).links if urlsplit(link).scheme}
    assert found
    for link in found:
        assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+(/\S*)?|mailto:\S+@\S+", link) or own(link), link


def own(link: str) -> bool:
    """Links of the theme and of licences' texts, and those that texts hold as examples."""
    return link.startswith("http://127.0.0.1")


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for path in pages(site):
        assert not [link for link in read(path).fetched if urlsplit(link).netloc], path
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_commands_and_functions_are_there(site: Path) -> None:
    """What is made of the code while the site is built: every verb with its options, every function, every part."""
    from hrmlab import api
    from hrmlab.api.catalogue import REGISTRIES
    from hrmlab.cli.verbs import VERBS

    commands = (site / "docs/cli.html").read_text(encoding="utf-8")
    for verb in VERBS:
        assert f"hrm {verb.name}<" in commands
        assert all(f"{option.flag}" in commands for option in verb.options)
    assert {f"hrmlab.api.{name}" for name in api.__all__} <= read(site / "docs/api.html").places
    parts = (site / "docs/parts.html").read_text(encoding="utf-8")
    for registry in REGISTRIES:
        assert all(f">{entry.name}<" in parts for entry in registry), registry.family


def test_the_wrong_source_folder_is_refused(tmp_path: Path) -> None:
    """`sphinx-build docs OUT` would know neither the README nor the benchmarks: one line says what to type."""
    command = [sys.executable, "-m", "sphinx", "-q", "docs", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "make docs" in done.stderr
