"""Where the interpreter is asked for, it must be what runs: a silent twin would prove nothing."""

import os

from hrmlab.kernels import triton_here

assert (os.environ.get("TRITON_INTERPRET") == "1") == triton_here.INTERPRETED, "TRITON_INTERPRET=1 needs triton"
