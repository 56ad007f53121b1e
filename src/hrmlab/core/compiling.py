"""One segment through torch.compile."""

import logging
import shutil
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from hrmlab.core.carry import Batch
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM, Output
from hrmlab.core.recurrence import States
from hrmlab.errors import ConfigError

LOG = logging.getLogger(__name__)


class Compiled(Eager):
    """The model's segments and looks ahead, compiled in one piece for fixed shapes at their first call.

    That takes half a minute or more on a CPU, less where an earlier process left its cache. The model itself stays
    eager. Another shape, and calls with and without gradient, compile anew: for training, not for slots that come and
    go. With an observer, the eager model answers.

    Args:
        forgiving: go on with the eager model, and a warning, where compiling fails: a broken tool chain, headers of
            Python that are not installed.

    Raises:
        ConfigError: the CPU's backend needs a C++ compiler and none is there (unless forgiving).
    """

    name: ClassVar[str] = "compiled"
    summary: ClassVar[str] = "one segment through torch.compile: fused passes, fewer numbers kept for the backward pass"
    tolerance: ClassVar[float] = 1e-4
    fixed_shapes: ClassVar[bool] = True

    def __init__(self, model: HRM, *, forgiving: bool = False) -> None:
        super().__init__(model)
        self._think: Callable[..., Output] = model.think
        self._foresee: Callable[..., Tensor] = model.foresee
        if has_compiler(model):
            compile_: Callable[..., Any] = _forgiving if forgiving else torch.compile
            self._think = compile_(model.think, dynamic=False, fullgraph=True)
            self._foresee = compile_(model.foresee, dynamic=False, fullgraph=True)
        elif not forgiving:
            raise ConfigError(
                "torch.compile needs a C++ compiler (g++) on the CPU and none was found; set training.engine=eager,"
                " or --engine eager where puzzles are answered"
            )

    def __call__(self, states: States, batch: Batch, *observation: Any) -> Output:
        """See `HRM.forward`."""
        if observation:
            return super().__call__(states, batch, *observation)
        return self._think(states, batch.inputs, self.model.look_up(batch))

    @torch.no_grad()
    def look_ahead(self, states: States, batch: Batch) -> Tensor:
        return self._foresee(states, batch.inputs, self.model.look_up(batch))


def has_compiler(model: HRM) -> bool:
    """Whether torch.compile can be tried on the model's device."""
    return model.initial.device.type != "cpu" or any(map(shutil.which, ("g++", "clang++", "c++")))


def _forgiving(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """A function compiled, until its first call fails where the plain one does not."""
    chosen: list[Callable[..., Any]] = []

    def call(*arguments: Any) -> Any:
        if chosen:
            return chosen[0](*arguments)
        try:
            compiled = torch.compile(function, **options)
            result = compiled(*arguments)
            chosen.append(compiled)
        except Exception as error:  # compilers fail in any way; what is wrong with the call itself, plain raises again
            result = function(*arguments)
            why = (str(error).strip().splitlines() or [""])[0]
            LOG.warning("torch.compile failed, so it goes on without: %s: %s", type(error).__name__, why)
            chosen.append(function)
        return result

    return call
