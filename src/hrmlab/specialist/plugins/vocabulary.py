"""What a part of a model may import and name, and what reaches out of it."""

import sys

IMPORTS = {
    "__future__", "abc", "collections", "collections.abc", "copy", "dataclasses", "enum", "functools", "itertools",
    "math", "operator", "typing", "einops", "torch", "torch.nn", "torch.nn.functional", "torch.nn.init",
    "torch.nn.parameter", "torch.nn.attention", "torch.utils.checkpoint", "hrmlab.attention", "hrmlab.blocks",
    "hrmlab.layers", "hrmlab.embeddings", "hrmlab.halting", "hrmlab.losses", "hrmlab.transitions", "hrmlab.spec",
    "hrmlab.errors",
}  # fmt: skip
BELOW = ("hrmlab.attention.", "hrmlab.blocks.", "hrmlab.layers.", "hrmlab.embeddings.", "hrmlab.halting.")
PURE = {
    "abc", "collections", "copy", "dataclasses", "enum", "functools", "itertools", "math", "operator", "typing",
    "chunk", "select", "trace", "token",
}  # fmt: skip
SYSTEM = (sys.stdlib_module_names - PURE) | {"np", "numpy", "attrgetter", "methodcaller"}
"""Modules are attributes of whatever imports them: `torch.os`, `from dataclasses import sys`. `copy` and the like are
named for their own sake, `chunk` and `select` are methods of tensors."""
BUILTINS = {
    "eval", "exec", "compile", "open", "__import__", "getattr", "setattr", "delattr", "globals", "locals", "vars",
    "dir", "breakpoint", "print", "memoryview",
}  # fmt: skip
"""Names that no part of a model needs."""
TORCH = {
    "load", "save", "hub", "manual_seed", "seed", "initial_seed", "get_rng_state", "random", "backends",
    "use_deterministic_algorithms", "jit", "compiler", "ops", "library", "classes", "multiprocessing", "distributed",
    "package", "serialization", "overrides", "storage", "untyped_storage", "from_file", "from_blob", "cuda", "fx",
    "export", "onnx", "profiler", "monitor", "futures", "tofile", "share_memory_", "data_ptr", "cpp_extension",
    "format_map",
}  # fmt: skip
"""Attributes that reach out of a model: files, seeds, memory, global settings."""
STATES = {"set_", "set_to_none", "set_extra_state"}
"""Names that begin like global settings and are none."""
HOOKS = (
    "register_module_", "register_forward", "register_full", "register_backward", "register_state", "register_load",
    "register_hook", "register_post", "register_package",
)  # fmt: skip
OVERLOADED = {
    "__init__", "__post_init__", "__len__", "__call__", "__iter__", "__getitem__", "__contains__", "__repr__",
    "__init_subclass__", "__setattr__",
}  # fmt: skip
"""Methods that a class may define, or ask its parent for."""
DECORATORS = {
    "dataclass", "register", "property", "cached_property", "staticmethod", "classmethod", "override", "final",
    "abstractmethod", "no_grad", "inference_mode",
}  # fmt: skip
DECLARING = {"TypeVar", "NewType", "float", "frozenset", "field", "dict", "namedtuple", "auto", "ParamSpec", "range"}
"""Calls that may stand where a module or a class is defined: they make a value and do nothing."""


def reaches_out(name: str) -> bool:
    """Whether an attribute or an imported name is of the system, of PyTorch's global state, or a hook."""
    settings = name.startswith("set_") and name not in STATES
    return name in TORCH or name in BUILTINS or name in SYSTEM or settings or name.startswith(HOOKS)
