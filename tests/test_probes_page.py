"""docs/probes.md says what the probes say."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_page_is_the_probes_own() -> None:
    spec = importlib.util.spec_from_file_location("probes_tool", ROOT / "tools" / "probes.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "type `python tools/probes.py`"
