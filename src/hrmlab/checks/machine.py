"""Rules that ask torch itself: one graph for its compiler, and memory that can be told before it is taken."""

import warnings
from functools import partial

import torch

from hrmlab.checks.asking import Rule, Skipped, demand
from hrmlab.checks.cases import SPEC, Case
from hrmlab.core.cost import call_cost


def compiles(case: Case) -> None:
    """Is one graph for torch.compile (fullgraph), which answers as it does."""
    module, inputs = case.built(), case.inputs(2)
    with warnings.catch_warnings():  # of torch, while it imports its compiler
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            torch._dynamo.reset()
            # The backend "eager" runs the graph that was found as it is: no C++ compiler is needed to find it.
            compiled = torch.compile(partial(case.call, module), fullgraph=True, dynamic=False, backend="eager")
        except RuntimeError as error:  # this Python, or this system, has no torch.compile
            raise Skipped(f"torch.compile is not there: {error}") from None
        torch.manual_seed(1)
        given = compiled(inputs)
    torch.manual_seed(1)
    demand(torch.allclose(given, case.call(module, inputs), atol=1e-5), "compiled, it answers otherwise")


def memory(case: Case) -> None:
    """Keeps for its backward pass what `hrm inspect` says that it will."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    inputs = tuple(
        part.requires_grad_() if part is not None and part.is_floating_point() else part for part in case.inputs(1)
    )
    with FakeTensorMode(allow_non_fake_inputs=True) as fake:
        told, parts = case.build(), [None if part is None else fake.from_tensor(part) for part in inputs]
        estimate = call_cost(told, lambda: [case.call(told, tuple(parts))])
    module = case.built()
    measured = call_cost(module, lambda: [case.call(module, inputs)])
    demand(
        abs(estimate.saved - measured.saved) <= 0.05 * measured.saved,
        f"{measured.saved} bytes are kept for a puzzle of {SPEC.seq_len} cells, {estimate.saved} were told",
    )
    demand(estimate.forward == measured.forward, f"{measured.forward} operations, {estimate.forward} were told")


RULES: dict[str, Rule[Case]] = {"compile": compiles, "memory estimate": memory}
