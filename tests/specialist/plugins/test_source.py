"""What a plug-in's source may not contain, found before it runs."""

from pathlib import Path

import pytest

from hrmlab.specialist.plugins.source import MOST, objections

HERE = Path(__file__).parent
GOOD = (HERE / "good.py.txt").read_text()
TEMPLATES = Path(__file__).parents[3] / "src" / "hrmlab" / "templates"


def test_parts_of_models_pass() -> None:
    assert objections(GOOD) == []


@pytest.mark.parametrize("kind", ["block", "attention", "embedding", "halting"])
def test_what_hrm_new_writes_passes(kind: str) -> None:
    assert objections((TEMPLATES / f"{kind}.py.txt").read_text()) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import os", "import of os"),
        ("import torch.utils.cpp_extension", "import of torch.utils"),
        ("from hrmlab.tasks import TASKS", "import from hrmlab.tasks"),
        ("from hrmlab import api", "import from hrmlab"),
        ("from . import x", "import from ."),
        ("from torch import load", "import of load"),
        ("print(1)", "top of a module"),
        ("X = torch.ones(3)", "top of a module"),
        ("for i in range(3): pass", "top of a module"),
        ("torch.nn.Linear.forward = None", "assignment to .forward"),
        ("def f(): torch.nn.Module.train = 1", "assignment to .train"),
        ("def f(x): x.inputs += 1", "assignment to .inputs"),
        ("def f(x): del x.y", "changes what others see"),
        ("def f():\n    global Z\n    Z = 1", "changes what others see"),
        ("def f():\n    try:\n        return 1\n    except Exception:\n        return 2", "must be seen to fail"),
        ("def f(): return eval('1')", "eval"),
        ("def f(x): return getattr(x, 'y')", "getattr"),
        ("def f(x): setattr(x, 'y', 1)", "setattr"),
        ("def f(x): return x.__class__", ".__class__"),
        ("def f(x): return x._entries", "private"),
        ("def f(): return __builtins__", "__builtins__"),
        ("def f(): return '__globals__'", "a text with __"),
        ("def f(): torch.manual_seed(0)", ".manual_seed"),
        ("def f(): torch.backends.x = 1", ".backends"),
        ("def f(): return torch.load('x')", ".load"),
        ("def f(): return torch.ops.aten", ".ops"),
        ("def f(m): m.register_forward_hook(f)", "hook"),
        ("def __getattr__(name): return 1", "may not be defined"),
        ("@torch.no_grad()\ndef f(): return 1", "@no_grad"),
        ("async def f(): return 1", "async"),
        ("def f(:", "no Python"),
        ("\x00", "no Python"),
        ("x = '" + "a" * MOST + "'", "characters"),
    ],
)
def test_what_reaches_out_is_named(line: str, words: str) -> None:
    found = objections(f"import torch\n{line}\n")
    assert any(words in objection for objection in found), found
