"""The pages of the documentation, and every block of code in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("docs/**/*.md"), ROOT / "README.md")))


@dataclass(frozen=True)
class Block:
    """A fenced block. language: what stands behind the opening fence; "" for an indented block, which no page has."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page in order, those in lists and quotes too."""
    for token in MarkdownIt().parse((ROOT / page).read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            yield Block(page, (token.map or [0])[0] + 1, token.info.strip(), token.content)
