"""`python -m hrmlab` is `hrm`."""

import sys

from hrmlab.cli import main

sys.exit(main())
