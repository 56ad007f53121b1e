"""The specialist's tools: one table, of which the command line, the MCP server and agents are faces. No torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from hrmlab.specialist.tools import measuring, reading, writing
from hrmlab.specialist.tools.workshop import Workshop

__all__ = ["TOOLS", "Tool", "Workshop"]


@dataclass(frozen=True)
class Tool:
    """A function whose first argument is the workshop. kind: what it may do. repeats: calling twice is as once."""

    title: str
    function: Callable[..., dict[str, Any]]
    kind: Literal["reads", "measures", "writes"]
    repeats: bool = True

    @property
    def name(self) -> str:
        return self.function.__name__


TOOLS = (
    Tool("What there is", reading.hrm_catalog, "reads"),
    Tool("What a model is", reading.hrm_inspect, "reads"),
    Tool("What differs", reading.hrm_compare, "reads"),
    Tool("What is wrong inside", measuring.hrm_diagnose, "measures"),
    Tool("Where gradient flows", measuring.hrm_gradient_flow, "measures"),
    Tool("What heads look at", measuring.hrm_attention, "measures"),
    Tool("When to stop", measuring.hrm_halting, "measures"),
    Tool("How fast", measuring.hrm_bench, "measures"),
    Tool("Train a model", measuring.hrm_train, "measures", repeats=False),
    Tool("Run a study", measuring.hrm_ablate, "measures", repeats=False),
    Tool("Ask the specialist", measuring.hrm_consult, "measures", repeats=False),
    Tool("Propose a change", measuring.hrm_propose, "measures", repeats=False),
    Tool("Patch a fork", measuring.hrm_patch, "measures", repeats=False),
    Tool("Prove a change", measuring.hrm_verify, "measures"),
    Tool("What was measured", reading.hrm_evidence, "reads"),
    Tool("Look at a job", reading.hrm_job, "reads"),
    Tool("End a job", writing.hrm_cancel, "writes"),
    Tool("Export an accepted change", writing.hrm_export, "writes", repeats=False),
)
