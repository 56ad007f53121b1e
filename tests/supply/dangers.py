"""Calls by which data or text can become code, a command or a file elsewhere, found in the syntax tree of a source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

FORBIDDEN = {
    "eval": "evaluates text",
    "exec": "runs text",
    "compile": "compiles text",
    "__import__": "imports by name",
    "importlib.import_module": "imports by name",
    "importlib.util.spec_from_file_location": "imports a file",
    "runpy.run_path": "runs a file",
    "runpy.run_module": "runs a module by name",
    "os.system": "runs a shell",
    "os.popen": "runs a shell",
    "subprocess.getoutput": "runs a shell",
    "subprocess.getstatusoutput": "runs a shell",
    "asyncio.create_subprocess_shell": "runs a shell",
    "yaml.unsafe_load": "builds objects that YAML names",
    "yaml.full_load": "builds objects that YAML names",
    "shutil.unpack_archive": "unpacks wherever the archive says",
    "tempfile.mktemp": "names a file that another may make first",
}
PICKLES = ("pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib")
SAFE_YAML = {"yaml.SafeLoader", "yaml.CSafeLoader"}


@dataclass(frozen=True)
class Danger:
    """One such call: its line, its name as it is known where it comes from, and what it does."""

    line: int
    call: str
    why: str


def dangers(source: str) -> Iterator[Danger]:
    """All of them in a module, whatever names the module gives to what it imports."""
    tree = ast.parse(source)
    known = _imports(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _dotted(node.func, known)
            if why := _why(name, node, known):
                yield Danger(node.lineno, name, why)


def _imports(tree: ast.AST) -> dict[str, str]:
    """The full name behind each imported name."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {name.asname or name.name.split(".")[0]: name.name for name in node.names if name.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
    return known


def _dotted(node: ast.expr, known: dict[str, str]) -> str:
    """`np.load` as `numpy.load`; a call on anything but a name is `?.name`."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, known)}.{node.attr}"
    return "?"


def _why(name: str, call: ast.Call, known: dict[str, str]) -> str | None:
    given = {word.arg: word.value for word in call.keywords}
    last = name.rpartition(".")[2]
    if name in FORBIDDEN:
        return FORBIDDEN[name]
    if name.split(".")[0] in PICKLES and last in ("load", "loads", "Unpickler", "open"):
        return "unpickles"
    if name == "torch.load" and not _is(given.get("weights_only"), True):
        return "unpickles: weights_only=True is missing"
    if "allow_pickle" in given and not _is(given["allow_pickle"], False):
        return "unpickles: allow_pickle"
    if "shell" in given and not _is(given["shell"], False):
        return "runs a shell"
    if "trust_remote_code" in given and not _is(given["trust_remote_code"], False):
        return "runs code that comes with a model"
    if last == "exec_module":
        return "imports a file"
    if name == "yaml.load" and _dotted(given.get("Loader") or [*call.args, call][1], known) not in SAFE_YAML:
        return "builds objects that YAML names"
    if last in ("extractall", "extract") and not _is(given.get("filter"), "data"):
        return "unpacks wherever the archive says: filter='data' is missing"
    if "verify" in given and _is(given["verify"], False):
        return "trusts any host"
    return None


def _is(node: ast.expr | None, value: object) -> bool:
    """Whether it is this constant."""
    return isinstance(node, ast.Constant) and type(node.value) is type(value) and node.value == value
