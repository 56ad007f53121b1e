"""The documentation as a site: `make docs`, or `sphinx-build -W --keep-going -c docs . .site`.

The source folder is the repository, so that pages link to benchmarks, examples and sources as they do on a forge's web
view, and the README and the benchmarks' own pages are pages of the site. Nothing is fetched while building or reading.
"""

import sys
from pathlib import Path
from typing import Any

from sphinx.errors import ConfigError

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

project = "hrm-lab"
copyright = "the hrm-lab authors, Apache-2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "from_code"]
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/**.md",
    "benchmarks/**.md",
    "plugin/hrm-lab/README.md",
    "src/hrmlab/specialist/persona.md",
]
exclude_patterns = [
    ".*",
    "tests",
    "runs",
    "data",
    "dist",
    "build",
    "src/hrmlab/specialist/skills",
    "benchmarks/studies/*/*",
]

html_theme = "furo"
html_title = "hrm-lab"
html_show_sphinx = False
html_copy_source = False

myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # generated reports begin where their makers like

default_role = "code"  # docstrings mark code as Markdown does
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88

FIRST = (
    '<!doctype html><meta charset="utf-8"><title>hrm-lab</title><meta http-equiv="refresh" content="0; url=docs/">\n'
)


def setup(app: Any) -> None:
    """The site's own folder leads to the first page. Another source folder would miss half of them."""
    if Path(app.srcdir) != HERE.parent:
        raise ConfigError("the source folder is the repository: type `make docs`")
    app.connect("build-finished", lambda app, error: _lead(Path(app.outdir), error))


def _lead(out: Path, error: Exception | None) -> None:
    if error is None and (out / "docs/index.html").is_file():
        (out / "index.html").write_text(FIRST.replace("docs/", "docs/index.html"), encoding="utf-8")
