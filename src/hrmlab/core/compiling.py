"""One segment through torch.compile."""

import logging
import shutil
from collections.abc import Callable

import torch

from hrmlab.core.heads import HaltingHead
from hrmlab.core.model import HRM, Output
from hrmlab.errors import ConfigError

Forward = Callable[..., Output]
"""Called as a model is: forward(states, batch)."""

LOG = logging.getLogger(__name__)


def compiled(model: HRM) -> Forward:
    """The model's forward pass, compiled for fixed shapes at its first call (half a minute on a CPU, then cached).

    The model itself stays eager. A change of shape compiles again: for training, not for slots that come and go.

    Raises:
        ConfigError: the CPU's backend needs a C++ compiler and none is there.
    """
    if not has_compiler(model):
        raise ConfigError("torch.compile needs a C++ compiler (g++) on the CPU and none was found; set compile=false")
    forward: Forward = torch.compile(model, dynamic=False)
    return forward


def compiled_if_possible(model: HRM) -> Forward:
    """As `compiled`, but the eager model where there is no compiler, or where it fails: a broken tool chain, headers of
    Python that are not installed. A failure is logged as a warning."""
    return _OrEager(model, compiled(model)) if has_compiler(model) else model


def has_compiler(model: HRM) -> bool:
    """Whether torch.compile can be tried on the model's device."""
    return model.initial.device.type != "cpu" or any(map(shutil.which, ("g++", "clang++", "c++")))


class _OrEager:
    """A compiled forward pass until its first call fails where the eager one does not."""

    def __init__(self, model: HRM, compiled: Forward) -> None:
        self.model, self.forward, self.tried = model, compiled, False

    @property
    def halting_head(self) -> HaltingHead:
        """The model's, which stays eager."""
        return self.model.halting_head

    def __call__(self, *args: object) -> Output:
        if self.tried:
            return self.forward(*args)
        self.tried = True
        try:
            return self.forward(*args)
        except Exception as error:  # compilers fail in any way; what is wrong with the call itself, eager raises again
            output: Output = self.model(*args)
            why = (str(error).strip().splitlines() or [""])[0]
            LOG.warning("torch.compile failed, so training goes on without it: %s: %s", type(error).__name__, why)
            self.forward = self.model
            return output
