"""A plug-in's source read before anybody runs it: an early word on what it may not do. The sandbox is the boundary."""

import ast
from collections.abc import Iterator

from hrmlab.specialist.plugins.vocabulary import (
    BELOW,
    BUILTINS,
    DECLARING,
    DECORATORS,
    IMPORTS,
    OVERLOADED,
    reaches_out,
)

MOST = 20_000
"""Characters."""
DEFINING = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.Assign, ast.AnnAssign, ast.Pass)


def objections(source: str) -> list[str]:
    """What a source does that no part of a model may, with its lines; none if it may be run in a sandbox."""
    if len(source) > MOST:
        return [f"it has {len(source)} characters; at most {MOST}"]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"it is no Python: {error}"]
    found = [*_run_on_import(tree.body)]
    documents = {document for node in ast.walk(tree) for document in _documents(node)}
    for node in ast.walk(tree):
        if node not in documents:
            found += [f"line {getattr(node, 'lineno', 0)}: {words}" for words in _wrong(node)]
    return sorted(set(found))


def _documents(node: ast.AST) -> Iterator[ast.AST]:
    """The docstring of a module, class or function, and texts below what is defined."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        texts = (line.value for line in node.body if isinstance(line, ast.Expr))
        yield from (text for text in texts if isinstance(text, ast.Constant))


def _run_on_import(body: list[ast.stmt]) -> Iterator[str]:
    """Modules and classes define; they do nothing when they are imported."""
    for node in body:
        where = f"line {node.lineno}"
        if isinstance(node, ast.If) and _only_for_types(node):
            yield from _run_on_import(node.body)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        elif not isinstance(node, DEFINING):
            yield f"{where}: {type(node).__name__} outside of a function, which runs on import"
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from (f"{where}: {call} outside of a function, which runs on import" for call in _calls(node.value))
        elif isinstance(node, ast.FunctionDef):
            defaults = [*node.args.defaults, *node.args.kw_defaults]
            for default in defaults:
                yield from (f"{where}: {call} as a default, which runs on import" for call in _calls(default))
        elif isinstance(node, ast.ClassDef):
            for base in [*node.bases, *(keyword.value for keyword in node.keywords)]:
                yield from (f"{where}: {call} as a base, which runs on import" for call in _calls(base))
            yield from _run_on_import(node.body)


def _only_for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" and not node.orelse


def _calls(value: ast.expr | None) -> Iterator[str]:
    """Calls that are not declarations; what a lambda does, it does later."""
    if value is None or isinstance(value, ast.Lambda):
        return
    if isinstance(value, ast.Call) and not (isinstance(value.func, ast.Name) and value.func.id in DECLARING):
        yield f"a call of {ast.unparse(value.func)[:40]}"
    for inner in ast.iter_child_nodes(value):
        if isinstance(inner, ast.keyword):
            inner = inner.value
        if isinstance(inner, ast.expr):
            yield from _calls(inner)


def _wrong(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (f"import of {alias.name}" for alias in node.names if alias.name not in IMPORTS)
        case ast.ImportFrom():
            module = "." * node.level + (node.module or "")
            if module not in IMPORTS and not module.startswith(BELOW):
                yield f"import from {module}"
            outward = (alias.name for alias in node.names if alias.name == "*" or reaches_out(alias.name))
            yield from (f"import of {name}" for name in outward)
        case ast.Name() if node.id in BUILTINS or (node.id.startswith("__") and node.id not in ("__name__", "__all__")):
            yield f"{node.id} is not for a part of a model"
        case ast.Attribute():
            yield from _attribute(node)
        case ast.MatchClass():
            yield from (f"{name} is private" for name in node.kwd_attrs if name.startswith("_"))
        case ast.FunctionDef() | ast.ClassDef():
            yield from _definition(node)
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield "async is not for a part of a model"
        case ast.Try() | ast.TryStar():
            yield "try: a part that fails must be seen to fail"
        case ast.Global() | ast.Nonlocal():
            yield f"{type(node).__name__.lower()} changes what others see"
        case ast.Delete() if not all(isinstance(target, ast.Name) for target in node.targets):
            yield "del of something else than a name changes what others see"
        case ast.Constant(value=str() as text) if "__" in text:
            yield "a text with __, by which names are reached that may not be"


def _attribute(node: ast.Attribute) -> Iterator[str]:
    root = _root(node)
    own = root in ("self", "cls")
    if node.attr.startswith("__"):
        asked = _of_parent(node.value) or (isinstance(node.value, ast.Name) and node.value.id == "object")
        if not (asked and node.attr in OVERLOADED) and node.attr != "__name__":
            yield f".{node.attr} is not for a part of a model"
    elif node.attr.startswith("_") and not own:
        yield f".{node.attr} is private to what it belongs to"
    elif reaches_out(node.attr) and not (isinstance(node.value, ast.Name) and own):
        yield f".{node.attr} reaches out of a model"
    if isinstance(node.ctx, ast.Store | ast.Del) and not own:
        yield f"assignment to .{node.attr} of something else than self"


def _root(node: ast.expr) -> str:
    """The name that a chain of attributes begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _of_parent(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "super"


def _definition(node: ast.FunctionDef | ast.ClassDef) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef) and node.name.startswith("__") and node.name not in OVERLOADED:
        yield f"{node.name} may not be defined"
    for decorator in node.decorator_list:
        inner = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else "?"
        if name not in DECORATORS:
            yield f"@{name} is not for a part of a model"
