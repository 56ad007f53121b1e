"""Language models by name: of any provider, of any server that speaks OpenAI's chat completions, or from a trace."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from hrmlab.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from pydantic_ai.models import Model

OLLAMA = "http://127.0.0.1:11434/v1"
FORMS = "anthropic:NAME, openai:NAME, ollama:NAME, openai:NAME with --url for any server alike, or replay:TRACE"


def model_of(name: str, url: str | None = None) -> "Model":
    """The model; nothing is asked of it yet.

    Args:
        name: `provider:model`. Keys come from the provider's variables (ANTHROPIC_API_KEY, OPENAI_API_KEY).
        url: of a server that speaks OpenAI's chat completions; Ollama's is known.

    Raises:
        MissingExtraError: pydantic-ai or the provider's client is not installed.
        ConfigError: an unknown name, or a key that is not set.
    """
    provider, sign, model = name.partition(":")
    if not sign or not model:
        raise ConfigError(f"--model {name} came; wanted {FORMS}")
    try:
        from pydantic_ai.exceptions import UserError
        from pydantic_ai.models import infer_model
    except ImportError:
        raise MissingExtraError("a language model needs pydantic-ai; type `pip install 'hrm-lab[agent]'`") from None
    if provider == "replay":
        from hrmlab.specialist.agent.trace import replayed

        return replayed(Path(model))
    try:
        if url or provider == "ollama":
            return _compatible(model, url or os.environ.get("OLLAMA_BASE_URL") or OLLAMA)
        return infer_model(name)
    except ImportError as error:
        raise MissingExtraError(f"{name} cannot be used: {error}") from None
    except (UserError, ValueError) as error:
        raise ConfigError(f"--model {name} cannot be used: {scrubbed(str(error))}; wanted {FORMS}") from None


def _compatible(model: str, url: str) -> "Model":
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"--url {url} came; wanted http://HOST:PORT/v1 or https://...")
    key = os.environ.get("OPENAI_API_KEY") or "none-needed"
    return OpenAIChatModel(model, provider=OpenAIProvider(base_url=url, api_key=key))


def scrubbed(text: str) -> str:
    """Text without the secrets of this process' environment, whole or begun (providers quote the first letters)."""
    for name, value in os.environ.items():
        if SECRET.search(name) and len(value) >= SHORTEST:
            text = text.replace(value, f"[{name}]")
            if len(value) >= 2 * SHORTEST:
                text = text.replace(value[:SHORTEST], f"[{name}...").replace(value[-SHORTEST:], f"...{name}]")
    return re.sub(r"(\w+://[^/@\s:]+):[^/@\s]+@", r"\1:[password]@", text)


SECRET = re.compile("KEY|TOKEN|SECRET|PASS|CRED", re.IGNORECASE)
"""Names of variables whose values are nobody's business."""
SHORTEST = 8
"""Shorter values are words, and replacing them would garble a text."""
