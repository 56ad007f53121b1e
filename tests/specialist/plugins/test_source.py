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
    "source",
    [
        "from __future__ import annotations",
        "from typing import TYPE_CHECKING, TypeVar\nif TYPE_CHECKING:\n    from torch import Tensor\nT = TypeVar('T')",
        "from functools import cached_property, partial\nfrom enum import Enum\nimport itertools, copy, math",
        "from torch.nn.init import trunc_normal_\nfrom torch.utils.checkpoint import checkpoint",
        "FAR = float('-inf')\n__all__ = ['f']",
        "def f(input, context):\n    del context\n    return input.chunk(3, -1)",
        "class A:\n    def f(self):\n        '''Of `__init__`.'''\n        self.load = 1\n        self.x.bias = 2",
        "class A:\n    @torch.no_grad()\n    def f(self): torch.nn.init.zeros_(self.w)",
        "def f(x): raise ValueError(f'{type(x).__name__} came')",
        "@dataclass(frozen=True)\nclass A:\n    def __post_init__(self): object.__setattr__(self, 'a', 1)",
        "class A:\n    sizes: dict = field(default_factory=lambda: {'a': 1})\n    def __getitem__(self, i): return i",
        "class A(B):\n    def __init__(self):\n        super().__init__()\n        self.register_buffer('x', y)",
    ],
)
def test_what_parts_are_written_with_passes(source: str) -> None:
    assert objections(source) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import os", "import of os"),
        ("import torch.utils.cpp_extension", "import of torch.utils"),
        ("from hrmlab.tasks import TASKS", "import from hrmlab.tasks"),
        ("from hrmlab import api", "import from hrmlab"),
        ("from . import x", "import from ."),
        ("from torch import load", "import of load"),
        ("print(1)", "runs on import"),
        ("X = torch.ones(3)", "runs on import"),
        ("for i in range(3): pass", "runs on import"),
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
        ("@torch.compile\ndef f(): return 1", "@compile"),
        ("from torch import os", "import of os"),
        ("from dataclasses import sys", "import of sys"),
        ("from torch import *", "import of *"),
        ("from hrmlab.halting.base import np", "import of np"),
        ("def f(): return torch.os.listdir('/')", ".os"),
        ("def f(x=torch.get_num_threads()): return x", "as a default, which runs on import"),
        ("class A(torch.typename(1)): pass", "as a base, which runs on import"),
        ("class A:\n    x = torch.ones(1)", "runs on import"),
        ("class A:\n    while True: break", "runs on import"),
        ("class A:\n    class B:\n        x = [torch.ones(1)]", "runs on import"),
        ("X = {1: (lambda: 1)()}", "runs on import"),
        ("def f(x):\n    match x:\n        case object(__class__=c): return c", "__class__ is private"),
        ("def f(): torch.set_float32_matmul_precision('medium')", ".set_float32"),
        ("def f(m): torch.nn.modules.module.register_module_forward_hook(m)", "hook"),
        ("X = '''a\n__class__'''", "a text with __"),
        ("if True:\n    import os", "import of os"),
        ("def f(x): return x.untyped_storage()", "storage"),
        ("async def f(): return 1", "async"),
        ("def f(:", "no Python"),
        ("\x00", "no Python"),
        ("x = '" + "a" * MOST + "'", "characters"),
    ],
)
def test_what_reaches_out_is_named(line: str, words: str) -> None:
    found = objections(f"import torch\n{line}\n")
    assert any(words in objection for objection in found), found
