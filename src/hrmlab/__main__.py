"""`python -m hrmlab` is `hrm`."""

import os
import sys

from hrmlab.cli import main

if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun's: DDP would warn every process that all parameters are used
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
sys.exit(main())
