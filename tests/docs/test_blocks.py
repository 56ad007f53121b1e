"""Every block of every page does what it says: typed from top to bottom, or read where it cannot be run here."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.pages import PAGES, ROOT, Block, blocks
from docs.reader import Reader, parts_put_back
from docs.scenes import SCENES, STANDS_FOR, Scene
from docs.shell import commands

LANGUAGES = {"python", "sh", "console", "json", "csv", "text"}
"""`text` is what nobody types: a formula, an address, a tree of folders. Sphinx's own directives stand in braces."""


def every() -> list[Block]:
    return [block for page in PAGES for block in blocks(page)]


def test_pages_are_found() -> None:
    assert {"README.md", "docs/index.md", "docs/start.md", "docs/LOG.md"} <= set(PAGES)
    assert len(every()) > 50


@pytest.mark.parametrize("block", every(), ids=lambda block: block.place)
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.language in LANGUAGES or block.language.startswith("{"), "wanted a language behind the fence"
    if block.language == "text":
        typed = [line for line in block.text.splitlines() if line.split()[:1] in (["$"], ["hrm"], ["python"], ["pip"])]
        assert not typed, "commands are `sh`, or `console` with what they print"
    if block.language == "json":
        json.loads(block.text)


@pytest.fixture
def home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home without settings, one for all pages, so that what is compiled once is found again; afterwards nothing of
    the page's own modules and parts is left."""
    place = tmp_path_factory.getbasetemp() / "home"
    place.mkdir(exist_ok=True)
    settings = {"HOME": str(place), "COLUMNS": "120", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.startswith(("HRM", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    with parts_put_back():
        yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in f"{vars(module).get('__file__')} {vars(module).get('__path__')}":
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page: str, home: None, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/golden").symlink_to(ROOT / "tests/golden")
    scene = SCENES.get(page, Scene())
    reader = Reader(tmp_path, STANDS_FOR | scene.words)
    for name, block in zip(scene.json, (block for block in blocks(page) if block.language == "json"), strict=True):
        (tmp_path / name).write_text(block.text, encoding="utf-8")
    for command in commands(scene.typed, console=False):
        reader.type(command)
    problems = []
    for block in blocks(page):
        try:
            reader.take(block)
        except Exception as error:
            problems.append(f"{block.place}: {error}")
    assert not problems, "\n" + "\n".join(problems)
