"""A plug-in's source read before anybody runs it: an early word on what it may not do. The sandbox is the boundary."""

import ast
from collections.abc import Iterator

MOST = 20_000
"""Characters."""
IMPORTS = {
    "torch", "torch.nn", "torch.nn.functional", "math", "typing", "dataclasses", "collections.abc", "hrmlab.attention",
    "hrmlab.blocks", "hrmlab.layers", "hrmlab.embeddings", "hrmlab.halting", "hrmlab.losses", "hrmlab.transitions",
    "hrmlab.spec", "hrmlab.errors",
}  # fmt: skip
BELOW = ("hrmlab.attention.", "hrmlab.blocks.", "hrmlab.layers.", "hrmlab.embeddings.", "hrmlab.halting.")
CALLS = {
    "eval", "exec", "compile", "open", "__import__", "getattr", "setattr", "delattr", "globals", "locals", "vars",
    "dir", "input", "breakpoint", "print", "id", "memoryview",
}  # fmt: skip
"""Names that no module of a model needs."""
TORCH = {
    "load", "save", "hub", "manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state", "random",
    "backends", "use_deterministic_algorithms", "set_default_dtype", "set_default_device", "set_num_threads",
    "set_grad_enabled", "jit", "compile", "compiler", "utils", "ops", "library", "classes", "multiprocessing",
    "distributed", "package", "serialization", "overrides", "storage", "from_file", "cuda", "fx", "export", "onnx",
    "profiler", "monitor", "futures", "register_forward_hook", "register_full_backward_hook", "numpy", "tofile",
    "share_memory_",
}  # fmt: skip
"""Attributes that reach out of a model: files, seeds, hooks, global settings."""
METHODS = {"__init__", "__post_init__", "__len__", "__call__"}
DECORATORS = {"dataclass", "register", "property", "staticmethod", "classmethod", "override", "final"}


def objections(source: str) -> list[str]:
    """What a source does that no part of a model may, with its lines; none if it may be run in a sandbox."""
    if len(source) > MOST:
        return [f"it has {len(source)} characters; at most {MOST}"]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"it is no Python: {error}"]
    found = [*_at_the_top(tree)]
    for node in ast.walk(tree):
        found += [f"line {getattr(node, 'lineno', 0)}: {words}" for words in _wrong(node)]
    return sorted(set(found))


def _at_the_top(tree: ast.Module) -> Iterator[str]:
    """A module defines; it does nothing when it is imported."""
    kinds = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.Assign, ast.AnnAssign)
    for node in tree.body:
        words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not words and not isinstance(node, kinds):
            yield f"line {node.lineno}: {type(node).__name__} at the top of a module, which runs on import"
        if isinstance(node, ast.Assign | ast.AnnAssign) and any(isinstance(n, ast.Call) for n in ast.walk(node)):
            yield f"line {node.lineno}: a call at the top of a module, which runs on import"


def _wrong(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (f"import of {alias.name}" for alias in node.names if alias.name not in IMPORTS)
        case ast.ImportFrom():
            module = "." * node.level + (node.module or "")
            if module not in IMPORTS and not module.startswith(BELOW):
                yield f"import from {module}"
            yield from (f"import of {alias.name}" for alias in node.names if _reaches_out(alias.name))
        case ast.Name() if node.id in CALLS or (node.id.startswith("__") and node.id != "__name__"):
            yield f"{node.id} is not for a part of a model"
        case ast.Attribute():
            yield from _attribute(node)
        case ast.FunctionDef() | ast.ClassDef():
            yield from _definition(node)
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield "async is not for a part of a model"
        case ast.Try() | ast.TryStar():
            yield "try: a part that fails must be seen to fail"
        case ast.Global() | ast.Nonlocal() | ast.Delete():
            yield f"{type(node).__name__.lower()} changes what others see"
        case ast.Constant(value=str() as text) if "__" in text and not text.isspace() and "\n" not in text:
            yield "a text with __, by which names are reached that may not be"


def _attribute(node: ast.Attribute) -> Iterator[str]:
    own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
    above = isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "super"
    if node.attr.startswith("__"):
        if not (above and node.attr in METHODS):
            yield f".{node.attr} is not for a part of a model"
    elif node.attr.startswith("_") and not own:
        yield f".{node.attr} is private to what it belongs to"
    if _reaches_out(node.attr):
        yield f".{node.attr} reaches out of a model"
    if isinstance(node.ctx, ast.Store | ast.Del) and not own:
        yield f"assignment to .{node.attr} of something else than self"


def _definition(node: ast.FunctionDef | ast.ClassDef) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef) and node.name.startswith("__") and node.name not in METHODS:
        yield f"{node.name} may not be defined"
    for decorator in node.decorator_list:
        inner = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else "?"
        if name not in DECORATORS:
            yield f"@{name} is not for a part of a model"


def _reaches_out(name: str) -> bool:
    return name in TORCH or name in CALLS
