"""The specialist's tools for a language model: the same functions, each result evidence, nothing that writes."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai import Tool
from pydantic_ai.toolsets import FunctionToolset

from hrmlab.errors import HrmLabError
from hrmlab.specialist.agent.trace import Trace, digest
from hrmlab.specialist.ledger import Ledger
from hrmlab.specialist.tools import TOOLS, Workshop
from hrmlab.specialist.tools import Tool as Own

LOOKING = ("hrm_catalog", "hrm_inspect", "hrm_compare", "hrm_diagnose", "hrm_gradient_flow", "hrm_attention")
WAITING = ("hrm_halting", "hrm_bench", "hrm_job")
PHASES: dict[str, tuple[str, ...]] = {
    "analyse": (*LOOKING, *WAITING),
    "propose": ("hrm_catalog", "hrm_inspect", "hrm_compare"),
    "conclude": (),
}
"""By phase, the tools that a model sees in it."""
SAME = 3
"""A call whose result was the same so many times is not made again."""
MOST_ERROR = 500
ROUND = 5
"""Calls come back in cycles of at most so many, and are found out after `SAME` rounds."""


class LoopError(HrmLabError):
    """A language model goes round in circles."""


@dataclass
class Hands:
    """Tools of one consultation. calls: what was called with what result, in order."""

    shop: Workshop
    ledger: Ledger
    trace: Trace
    calls: list[str] = field(default_factory=list)

    def tools(self, phase: str) -> FunctionToolset[Any]:
        """Those of a phase."""
        known = {tool.name: tool for tool in TOOLS}
        made = [Tool(self._bound(known[name]), name=name, takes_ctx=False) for name in PHASES[phase]]
        return FunctionToolset(made, sequential=True)

    def _bound(self, tool: Own) -> Callable[..., dict[str, Any]]:
        @functools.wraps(tool.function)
        def call(**named: Any) -> dict[str, Any]:
            found: dict[str, Any]
            try:
                found = tool.function(self.shop, **named)
            except Exception as error:  # whatever the arguments make of a tool, the model is told
                name = "" if isinstance(error, HrmLabError) else f"{type(error).__name__}: "
                found = {"error": f"{name}{error}"[:MOST_ERROR]}
            self._noted(tool.name, named, found)
            if tool.name == "hrm_catalog" or ("error" in found and len(found) == 1):
                return found  # names and page numbers are no evidence of anything
            values = {name: value for name, value in found.items() if name != "log"}
            return {"evidence": self.ledger.append(tool.name, named, values).id, **found}

        parameters = list(inspect.signature(tool.function).parameters.values())[1:]
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {name: of for name, of in tool.function.__annotations__.items() if name != "shop"}
        return call

    def _noted(self, name: str, arguments: dict[str, Any], found: dict[str, Any]) -> None:
        """Keep the call; polling a job that gets on is no circle, since its result differs.

        Raises:
            LoopError: the same calls with the same results come again and again.
        """
        self.calls.append(digest([name, arguments, found]))
        self.trace.write("tool", name=name, arguments=arguments, result=digest(found))
        if circling(self.calls):
            raise LoopError(f"the model calls {name} and its like again and again, with the same results")


def circling(calls: list[str]) -> bool:
    """Whether the last calls are one call, or one cycle of calls, `SAME` times over."""
    for length in range(1, ROUND + 1):
        last = calls[-length * SAME :]
        if len(last) == length * SAME and all(last[i] == last[i % length] for i in range(len(last))):
            return True
    return calls.count(calls[-1]) > 2 * SAME
