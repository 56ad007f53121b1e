"""The verbs as functions: `from hrmlab import api; api.train("sudoku-4x4", seconds=30)`.

Each gives a result of `hrmlab.results` and raises an `HrmLabError` for what its caller can mend. Importing this package
is light: torch is imported when a verb is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrmlab.api.ablation import ablate
    from hrmlab.api.adapting import adapt
    from hrmlab.api.benchmarking import bench
    from hrmlab.api.catalogue import catalog
    from hrmlab.api.checking import check
    from hrmlab.api.comparison import parity
    from hrmlab.api.completing import completion
    from hrmlab.api.data import data_build, data_check, data_show
    from hrmlab.api.demonstration import demo
    from hrmlab.api.diagnosing import diagnose, follow
    from hrmlab.api.differences import compare
    from hrmlab.api.environment import doctor
    from hrmlab.api.evaluation import evaluate
    from hrmlab.api.exporting import export, push_to_hub
    from hrmlab.api.inspection import inspect
    from hrmlab.api.interchange import from_pretrained, import_checkpoint, import_config
    from hrmlab.api.reporting import report
    from hrmlab.api.scaffolding import new
    from hrmlab.api.settings import import_parts
    from hrmlab.api.solving import solve
    from hrmlab.api.stopping import halting, halting_tune
    from hrmlab.api.training import speaks, train
    from hrmlab.api.transferring import transfer
    from hrmlab.api.tuning import tune

_HOMES = {
    "ablate": "ablation",
    "adapt": "adapting",
    "bench": "benchmarking",
    "catalog": "catalogue",
    "check": "checking",
    "compare": "differences",
    "completion": "completing",
    "data_build": "data",
    "data_check": "data",
    "data_show": "data",
    "demo": "demonstration",
    "diagnose": "diagnosing",
    "doctor": "environment",
    "evaluate": "evaluation",
    "export": "exporting",
    "follow": "diagnosing",
    "from_pretrained": "interchange",
    "halting": "stopping",
    "halting_tune": "stopping",
    "import_checkpoint": "interchange",
    "import_config": "interchange",
    "import_parts": "settings",
    "inspect": "inspection",
    "new": "scaffolding",
    "parity": "comparison",
    "push_to_hub": "exporting",
    "report": "reporting",
    "solve": "solving",
    "speaks": "training",
    "train": "training",
    "transfer": "transferring",
    "tune": "tuning",
}

__all__ = [
    "ablate",
    "adapt",
    "bench",
    "catalog",
    "check",
    "compare",
    "completion",
    "data_build",
    "data_check",
    "data_show",
    "demo",
    "diagnose",
    "doctor",
    "evaluate",
    "export",
    "follow",
    "from_pretrained",
    "halting",
    "halting_tune",
    "import_checkpoint",
    "import_config",
    "import_parts",
    "inspect",
    "new",
    "parity",
    "push_to_hub",
    "report",
    "solve",
    "speaks",
    "train",
    "transfer",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hrmlab.api' has no attribute '{name}'")
    return getattr(import_module(f"hrmlab.api.{_HOMES[name]}"), name)
