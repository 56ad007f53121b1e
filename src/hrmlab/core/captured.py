"""One segment recorded as CUDA graphs: one launch in place of thousands."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hrmlab.core.carry import Batch
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM, Output
from hrmlab.core.recurrence import States
from hrmlab.errors import ConfigError

Tensors = tuple[Tensor, ...]
MOST = 4
"""Recordings kept; each holds the memory of its activations."""


class Captured(Eager):
    """The model's segments, their backward passes and its looks ahead, recorded at their first call and replayed.

    The small operations of a recurrent model take a GPU less time than a CPU needs to launch them; a replay launches
    them all at once. Another shape, and calls with and without gradient, are recorded anew: for training, not for slots
    that come and go. Weights may change in place between calls, as optimisers change them; gradients must be cleared
    (set to None) between two backward passes, because a replay writes them where it wrote the last ones. With an
    observer, the eager model answers.

    Raises:
        ConfigError: the model is not on a CUDA device.
    """

    name: ClassVar[str] = "captured"
    summary: ClassVar[str] = "one segment recorded as CUDA graphs: one launch in place of thousands; CUDA only"
    tolerance: ClassVar[float] = 1e-5
    fixed_shapes: ClassVar[bool] = True

    def __init__(self, model: HRM) -> None:
        super().__init__(model)
        if not model.initial.is_cuda:
            raise ConfigError(
                f"engine captured records CUDA graphs and the model is on {model.initial.device.type}; wanted a CUDA"
                " device (--device cuda); on a CPU take eager or compiled"
            )
        self._recordings: dict[Any, Callable[..., Tensors]] = {}

    def __call__(self, states: States, batch: Batch, *observation: Any) -> Output:
        """See `HRM.forward`."""
        if observation:
            return super().__call__(states, batch, *observation)
        rows = self.model.look_up(batch)
        *after, logits, values = self._replay(_Think(self.model, tuple(states)), states, batch, rows)
        return Output(dict(zip(states, after, strict=True)), logits, values, rows, self.model.schedule.answer)

    @torch.no_grad()
    def look_ahead(self, states: States, batch: Batch) -> Tensor:
        rows = self.model.look_up(batch)
        return self._replay(_Foresee(self.model, tuple(states)), states, batch, rows)[0]

    def _replay(self, task: "_Task", states: States, batch: Batch, rows: Tensor | None) -> Tensors:
        arguments = (*states.values(), batch.inputs, *(() if rows is None else (rows,)))
        learning = torch.is_grad_enabled()
        key = (type(task), task.levels, learning, *((a.shape, a.dtype) for a in arguments))
        if key not in self._recordings:
            if len(self._recordings) == MOST:
                del self._recordings[next(iter(self._recordings))]
            self._recordings[key] = _with_gradient(task, arguments) if learning else _Recording(task, arguments)
        return tuple(out.clone() for out in self._recordings[key](*arguments))  # the next replay writes there again


class _Task(nn.Module):
    """A method of the model, taking and giving tensors only. levels: names of the states, which come first."""

    def __init__(self, model: HRM, levels: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.levels = model, levels

    def told(self, arguments: Tensors) -> tuple[States, Tensor, Tensor | None]:
        """States, tokens and puzzle vectors."""
        tokens, *rows = arguments[len(self.levels) :]
        return dict(zip(self.levels, arguments, strict=False)), tokens, rows[0] if rows else None


class _Think(_Task):
    def forward(self, *arguments: Tensor) -> Tensors:
        output = self.model.think(*self.told(arguments))
        return (*output.states.values(), output.logits, output.values)


class _Foresee(_Task):
    def forward(self, *arguments: Tensor) -> Tensors:
        return (self.model.foresee(*self.told(arguments)),)


def _with_gradient(task: _Task, arguments: Tensors) -> Callable[..., Tensors]:
    """A forward and a backward graph, tied into autograd by torch.

    Torch's recording keeps the nodes that collect gradients alive and then warns about their stream, at each replay's
    backward pass: newer versions can be told that it is meant.
    """
    if (quiet := getattr(torch.autograd.graph, "set_warn_on_accumulate_grad_stream_mismatch", None)) is not None:
        quiet(False)
    sample = tuple(a.detach().clone().requires_grad_(a.requires_grad) for a in arguments)
    recorded: Any = torch.cuda.make_graphed_callables(task, sample, allow_unused_input=True)
    give: Callable[..., Tensors] = recorded
    return give


class _Recording:
    """A forward graph alone."""

    @torch.no_grad()
    def __init__(self, task: _Task, arguments: Tensors) -> None:
        with torch.inference_mode(False):
            self.inputs = tuple(torch.empty_like(a).copy_(a) for a in arguments)
        side: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self.graph = torch.cuda.CUDAGraph()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):  # libraries choose their algorithms and take their memory outside the recording
                task(*self.inputs)
        torch.cuda.current_stream().wait_stream(side)
        with torch.cuda.graph(self.graph):
            self.outputs: Tensors = task(*self.inputs)

    @torch.no_grad()
    def __call__(self, *arguments: Tensor) -> Tensors:
        for mine, given in zip(self.inputs, arguments, strict=True):
            mine.copy_(given)
        self.graph.replay()
        return self.outputs
