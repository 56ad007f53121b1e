"""What the verbs answer, as plain data: no torch, no numpy, ready for JSON.

The field names are the keys that `--json` prints; a test pins them.
"""

from hrmlab.results.base import Result
from hrmlab.results.changing import Adaptation, Comparison, Fit, Transfer
from hrmlab.results.checking import Check, Checked, Scaffold
from hrmlab.results.evaluation import Evaluation, Protocol, Scores, Tries
from hrmlab.results.halting import HaltingChoice, HaltingReport, HaltingRule
from hrmlab.results.interchange import Exported, Imported, Parity, ParityFile
from hrmlab.results.machine import Bench, Engine, EngineTiming, Environment
from hrmlab.results.probes import Diagnosis, Finding, Measurement
from hrmlab.results.reporting import ReportFiles
from hrmlab.results.specialist import Consultation, Evidence, Gate, Ledger, Proposal
from hrmlab.results.study import Study, StudyArm, StudyCell, StudyCurve, StudyRow
from hrmlab.results.things import Catalogue, Completion, DataCheck, DataSet, DataView, Inspection, Item
from hrmlab.results.tuning import Tuning
from hrmlab.results.work import Demonstration, Serving, Solution, Solving, Training

__all__ = [
    "Adaptation",
    "Bench",
    "Catalogue",
    "Check",
    "Checked",
    "Comparison",
    "Completion",
    "Consultation",
    "DataCheck",
    "DataSet",
    "DataView",
    "Demonstration",
    "Diagnosis",
    "Engine",
    "EngineTiming",
    "Environment",
    "Evaluation",
    "Evidence",
    "Exported",
    "Finding",
    "Fit",
    "Gate",
    "HaltingChoice",
    "HaltingReport",
    "HaltingRule",
    "Imported",
    "Inspection",
    "Item",
    "Ledger",
    "Measurement",
    "Parity",
    "ParityFile",
    "Proposal",
    "Protocol",
    "ReportFiles",
    "Result",
    "Scaffold",
    "Scores",
    "Serving",
    "Solution",
    "Solving",
    "Study",
    "StudyArm",
    "StudyCell",
    "StudyCurve",
    "StudyRow",
    "Training",
    "Transfer",
    "Tries",
    "Tuning",
]
