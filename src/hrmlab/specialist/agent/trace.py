"""What was said between a language model and us, line by line as it is said, without secrets; and said again."""

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from hrmlab.errors import DataError
from hrmlab.reading import exists, parsed
from hrmlab.specialist.agent.models import scrubbed

NAME = "trace.jsonl"


class Trace:
    """A file of JSON lines: `response` (of the model, whole), `tool` (arguments, digest of the result), `phase`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def write(self, kind: str, **values: Any) -> None:
        """Append an event."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"event": kind, **_without_secrets(values)}, ensure_ascii=True, default=str)
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class Recorded(WrapperModel):
    """A model every response of which goes into a trace before anyone acts on it."""

    def __init__(self, model: Model, trace: Trace) -> None:
        super().__init__(model)
        self.trace = trace

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        response = await self.wrapped.request(messages, model_settings, model_request_parameters)
        plain = json.loads(ModelMessagesTypeAdapter.dump_json([response]))[0]
        self.trace.write("response", messages=len(messages), message=plain)
        return response


def replayed(path: Path) -> Model:
    """A model that says what the one in a trace said, in the same order; tools are really called again.

    Raises:
        DataError: the file is no trace. At the last response's end: HrmLabError from the consultation.
    """
    said = iter(list(_responses(path / NAME if exists(path) and path.is_dir() else path)))

    def next_one(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        response = next(said, None)
        if response is None:
            raise DataError(f"the trace {path} ends here: what was measured now differs from what was measured then")
        return response

    return FunctionModel(next_one, model_name=f"replay of {path.name}")


def _responses(path: Path) -> Iterator[ModelResponse]:
    try:
        lines = [parsed(line) for line in path.read_bytes().splitlines() if line]
        plain = [line["message"] for line in lines if line["event"] == "response"]
        for message in ModelMessagesTypeAdapter.validate_python(plain):
            if isinstance(message, ModelResponse):
                yield message
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{path} is no trace; wanted the {NAME} of a consultation with --model") from None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, dict):
        return {name: _without_secrets(inner) for name, inner in value.items()}
    return [_without_secrets(inner) for inner in value] if isinstance(value, list | tuple) else value


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, the first 16 digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
