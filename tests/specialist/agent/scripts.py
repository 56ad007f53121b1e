"""Language models that say what a script has for them: real tools, real measurements, no network."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from hrmlab.results.specialist import Consultation
from hrmlab.specialist.agent.advisor import LanguageModel
from hrmlab.specialist.agent.budget import Budget
from hrmlab.specialist.consulting import consult

Turn = Callable[[list[ModelMessage], AgentInfo], ModelResponse]
CHANGE = {
    "title": "let gradient flow through more updates",
    "changes": ["model.schedule.grad_window=4"],
    "aim": "exact",
    "prediction": "more puzzles right",
    "principle": "the one-step gradient holds at a fixed point only",
    "rationale": "Few updates carry gradient.",
    "explanation": "the window begins earlier",
    "implications": "more activations are kept",
}


def call(name: str, **arguments: Any) -> Turn:
    return lambda messages, info: ModelResponse(parts=[ToolCallPart(name, arguments)])


def answer(**fields: Any) -> Turn:
    """The form that this conversation asks for."""
    return lambda messages, info: ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, fields)])


def concluding(sentences: list[str], **verdicts: str) -> Turn:
    return answer(sentences=sentences, verdicts=verdicts)


def returned(messages: list[ModelMessage]) -> Any:
    """What the last tool gave."""
    parts = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    return parts[-1].content


def playing(*turns: Turn, seen: list[tuple[list[ModelMessage], AgentInfo]] | None = None) -> FunctionModel:
    """A model that takes the turns in order; the last one again and again."""
    state = {"at": 0}

    def speak(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if seen is not None:
            seen.append((messages, info))
        turn = turns[min(state["at"], len(turns) - 1)]
        state["at"] += 1
        return turn(messages, info)

    return FunctionModel(speak, model_name="scripted")


def consulted(
    target: Path | str, model: Any, out: Path, problem: str = "the gradient is weak", **options: Any
) -> Consultation:
    limits = options.pop("limits", Budget())
    settings = {"proposals": 1, "n": 4, "train": False, "quiet": True} | options
    return consult(
        str(target),
        problem,
        out=out,
        advisor=lambda folder: LanguageModel(model, folder, limits, quiet=True),
        **settings,
    )


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "trace.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == kind]
