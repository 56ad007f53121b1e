"""The table of verbs: names, arguments and one line on each, in the order of `hrm --help`. A test pins it."""

from hrmlab.cli.verbs.beginning import BEGINNING
from hrmlab.cli.verbs.changing import CHANGING
from hrmlab.cli.verbs.consulting import CONSULTING
from hrmlab.cli.verbs.data import DATA
from hrmlab.cli.verbs.explaining import EXPLAINING
from hrmlab.cli.verbs.reference import REFERENCE
from hrmlab.cli.verbs.running import RUNNING

VERBS = (*BEGINNING, *DATA, *RUNNING, *REFERENCE, *CHANGING, *EXPLAINING, *CONSULTING)
