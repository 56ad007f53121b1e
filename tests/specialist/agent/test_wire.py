"""Over HTTP, as providers answer on bad days: loopback servers that speak as OpenAI's and Anthropic's do."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pydantic_ai", reason="needs pydantic-ai: pip install 'hrm-lab[agent]'")
from hrmlab.errors import ConfigError
from hrmlab.specialist.agent.models import model_of, scrubbed
from tests.specialist.agent.scripts import CHANGE, consulted

KEY = "sk-test-0123456789abcdef-SECRET-9876543210"
Reply = tuple[int, dict[str, Any]] | None
"""Status and body; None: the connection is closed without a word."""


@contextmanager
def server(*replies: Reply | Callable[[dict[str, Any]], Reply]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Answers in order, the last one again and again; gives its URL and what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = replies[min(len(asked), len(replies) - 1)]
            asked.append(body)
            found = reply(body) if callable(reply) else reply
            if found is None:
                self.connection.close()
                return
            status, answer = found
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status == 429:
                self.send_header("Retry-After", "0.01")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/v1", asked
        http.shutdown()


def openai(name: str, arguments: str) -> tuple[int, dict[str, Any]]:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return 200, {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "choices": [choice],
        "usage": usage,
    }


def form(**fields: Any) -> Callable[[dict[str, Any]], Reply]:
    """Fills in what the request's last tool, the form of the answer, asks for."""

    def reply(body: dict[str, Any]) -> Reply:
        return openai(body["tools"][-1]["function"]["name"], json.dumps(fields))

    return reply


GOOD = (form(sentences=["Gradient is short."]), form(proposals=[]), form(sentences=["Nothing was tried."], verdicts={}))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def asked_over(url: str, out: Path) -> Any:
    return consulted("sudoku-4x4", model_of("openai:stub", url), out)


def no_key_in(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            text = file.read_text(errors="replace")
            assert KEY not in text and KEY[-8:] not in text and KEY[:8] not in text, file


def test_a_server_like_openais(tmp_path: Path) -> None:
    with server(*GOOD) as (url, asked):
        told = asked_over(url, tmp_path / "out")
    assert told.advisor == "openai:stub" and told.analysis == ["Gradient is short."]
    assert told.conclusion == ["Nothing was tried."]
    assert {tool["function"]["name"] for tool in asked[0]["tools"]} >= {"hrm_inspect", "hrm_diagnose"}
    no_key_in(tmp_path)


@pytest.mark.parametrize(
    "bad",
    [
        openai("hrm_inspect", '{"target": "sudoku-4x4"'),
        openai("hrm_inspect", "[1, 2]"),
        openai("no_such_tool", "{}"),
        openai("hrm_inspect", '{"target": 7, "nonsense": true}'),
        (429, {"error": {"message": "slow down", "type": "rate_limit"}}),
        (503, {"error": {"message": "overloaded"}}),
        None,
    ],
    ids=["half JSON", "a list", "unknown tool", "wrong arguments", "429", "503", "closed"],
)
def test_one_bad_answer_is_survived(tmp_path: Path, bad: Reply) -> None:
    with server(bad, *GOOD) as (url, _):
        told = asked_over(url, tmp_path / "out")
    assert told.analysis == ["Gradient is short."]


@pytest.mark.parametrize(
    ("status", "words"),
    [(429, "429"), (500, "500"), (401, "401"), (200, "UnexpectedModelBehavior")],
)
def test_nothing_but_bad_answers_end_in_a_report_without_the_key(tmp_path: Path, status: int, words: str) -> None:
    with server((status, {"error": {"message": f"Incorrect API key provided: {KEY[:12]}****{KEY[-8:]}."}})) as (url, _):
        told = asked_over(url, tmp_path / "out")
    assert any(words in limit for limit in told.limits), told.limits
    assert told.proposals or told.limits
    no_key_in(tmp_path)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    told = asked_over("http://127.0.0.1:9/v1", tmp_path / "out")
    assert any("Connection" in limit for limit in told.limits)


def test_anthropics_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(**fields: Any) -> Callable[[dict[str, Any]], Reply]:
        def reply(body: dict[str, Any]) -> Reply:
            use = {"type": "tool_use", "id": "t1", "name": body["tools"][-1]["name"], "input": fields}
            usage = {"input_tokens": 10, "output_tokens": 5}
            return 200, {
                "id": "m", "type": "message", "role": "assistant", "model": "stub", "content": [use],
                "stop_reason": "tool_use", "stop_sequence": None, "usage": usage,
            }  # fmt: skip

        return reply

    replies = (
        said(sentences=["Gradient is short."]), said(proposals=[]), said(sentences=["Nothing."], verdicts={})
    )  # fmt: skip
    with server(*replies) as (url, asked):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url.removesuffix("/v1"))
        told = consulted("sudoku-4x4", model_of("anthropic:claude-stub"), tmp_path / "out")
    assert told.conclusion == ["Nothing."] and len(asked) == 3
    no_key_in(tmp_path)


@pytest.mark.parametrize(
    ("name", "url", "words"),
    [
        ("gpt", None, "wanted anthropic:NAME"),
        ("nobody:x", None, "nobody"),
        ("openai:x", "ftp://x", "--url ftp://x came"),
        ("openai:", None, "wanted anthropic:NAME"),
    ],
)
def test_models_that_cannot_be(name: str, url: str | None, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        model_of(name, url)


def test_a_key_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY"):
        model_of("anthropic:claude")


def test_secrets_are_taken_out_whole_and_quoted() -> None:
    assert KEY not in scrubbed(f"bad {KEY}") and "0123" not in scrubbed(f"bad {KEY}")
    assert KEY[-8:] not in scrubbed(f"key {KEY[:8]}...{KEY[-8:]}")


def test_as_one_types_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody sits at the terminal of a test: what is proposed is weighed, and not trained without --yes."""
    from hrmlab.cli import main

    proposing = form(proposals=[CHANGE])
    with server(GOOD[0], proposing, form(sentences=["Weighed."], verdicts={"p1": "not tried"})) as (url, _):
        words = ["specialist", "hrm-sudoku-4x4", "gradient", "--model", "openai:stub", "--url", url, "--n", "4"]
        assert main([*words, "--budget", "requests=9,minutes=5", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert "Weighed." in said.out and "--yes approves all" in said.err
    assert not (tmp_path / "out" / "runs").exists()
    for options, words in (
        (["--url", "http://x"], "say which with --model"),
        (["--model", "openai:x", "--budget", "wishes=3"], "--budget wishes=3 came"),
        (["--model", "openai:x", "--budget", "requests=0"], "above 0"),
    ):
        assert main(["specialist", "sudoku-4x4", "gradient", *options, "--out", str(tmp_path / "no")]) != 0
        assert words in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
