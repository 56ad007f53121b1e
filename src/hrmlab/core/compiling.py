"""One segment through torch.compile."""

import shutil
from collections.abc import Callable

import torch

from hrmlab.core.model import HRM, Output
from hrmlab.errors import ConfigError

Forward = Callable[..., Output]
"""Called as a model is: forward(states, batch)."""


def compiled(model: HRM) -> Forward:
    """The model's forward pass, compiled for fixed shapes at its first call (half a minute on a CPU, then cached).

    The model itself stays eager. A change of shape compiles again: for training, not for slots that come and go.

    Raises:
        ConfigError: the CPU's backend needs a C++ compiler and none is there.
    """
    if model.initial.device.type == "cpu" and not any(map(shutil.which, ("g++", "clang++", "c++"))):
        raise ConfigError("torch.compile needs a C++ compiler (g++) on the CPU and none was found; set compile=false")
    forward: Forward = torch.compile(model, dynamic=False)
    return forward
