"""Who may ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from hrmlab.web.app import application
from hrmlab.web.front import Front
from hrmlab.web.limits import Limits
from hrmlab.web.metrics import Metrics
from hrmlab.web.serving import LOCAL


def asking(token: str | None, hosts: frozenset[str] | None) -> TestClient:
    return TestClient(application(Front([], Limits()), Metrics(), token, hosts), base_url="http://localhost")


def test_a_token_is_wanted_for_all_but_health() -> None:
    client = asking("secret", None)
    assert client.get("/health").json()["status"] == "starting"
    for path in ("/metrics", "/openapi.json", "/nothing", "/solve", "http://localhost//health", "/health/"):
        found = client.get(path)
        assert found.status_code == 401 and found.headers["www-authenticate"] == "Bearer", path
        assert "Bearer TOKEN" in found.json()["error"]
    assert client.get("/metrics", headers={"Authorization": "Bearer secret"}).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "bearer  secret "}).status_code == 200


@given(st.binary(max_size=20))
def test_no_other_token_will_do(token: bytes) -> None:
    found = asking("secret", None).get("/metrics", headers=[(b"authorization", b"Bearer " + token)])
    assert (found.status_code == 200) == (token.strip() == b"secret")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "", "127.0.0.2", "[::2]"]
)
def test_a_page_whose_name_points_here_is_refused(host: str) -> None:
    found = asking(None, LOCAL).get("/health", headers={"Host": host})
    assert found.status_code == 400 and "another host" in found.json()["error"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]"])
def test_this_machine_is_not(host: str) -> None:
    assert asking(None, LOCAL).get("/health", headers={"Host": host}).status_code == 503


def test_a_fault_of_ours_is_in_the_log_and_nowhere_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Front, "trouble", lambda self: 1 / 0)
    app = application(Front([], Limits()), Metrics())
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        found = client.get("/health")
    assert found.status_code == 500 and "Zero" not in found.text
    assert "ZeroDivisionError" in capsys.readouterr().err
