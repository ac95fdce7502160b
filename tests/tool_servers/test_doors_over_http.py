"""The doors of a listening server against those who come from elsewhere, too big, too slow or too often."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from home.callers import CallerSettings
from home.settings import Settings
from tests.tool_servers.bench import ALICE, Bench
from tests.tool_servers.calling import answer_of, error_of
from tests.tool_servers.open_server import call_tool, knock, opened
from tool_servers.access import OPERATOR, Callers, token_hash
from tool_servers.admission import Access
from tool_servers.assembly import ToolServer
from tool_servers.doors import LARGEST_REQUEST_BYTES
from tool_servers.orders.main import build
from tool_servers.patience import patient

CALLERS = Callers({token_hash("agent-token"): "agent", token_hash("operator-token"): OPERATOR})
HEADERS = "authorization: Bearer agent-token\r\ncontent-type: application/json\r\n"


def server_at(url: str, **callers: CallerSettings) -> ToolServer:
    bench = Bench(settings=Settings(approvers={"alice": ALICE.address}, callers=callers))
    return build(bench.desk(), access=Access(url, CALLERS))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with opened(server_at) as address:
        yield address


def error_in(answer: httpx2.Response) -> dict[str, Any]:
    """Return the error object of a refusal, wherever the route puts it."""
    error = answer.json()["error"]
    told: dict[str, Any] = error.get("data", error)
    assert set(told) == {"code", "message", "fix", "retryable"}
    return told


def raw(url: str, text: str, *, wait_s: float = 15.0) -> bytes:
    """Send bytes as they are; return all that comes until the server closes or falls silent."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    heard = b""
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=wait_s) as line:
        line.sendall(text.encode())
        while chunk := line.recv(4096):
            heard += chunk
    return heard


HOSTS = ["evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:80", "localhost:80@evil", ""]
ORIGINS = ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost:3000", "https://127.0.0.1"]


@pytest.mark.parametrize("path", ["/mcp", "/approvals", "/held", "/healthz", "/elsewhere"])
def test_no_foreign_host_or_page_is_let_in_anywhere(url: str, path: str) -> None:
    address = url.removesuffix("/mcp") + path
    for header, values, status in (("host", HOSTS, 421), ("origin", ORIGINS, 403)):
        for value in values:
            answer = knock(address, "agent-token", **{header: value})
            assert answer.status_code == status, (header, value)
            assert error_in(answer)["code"] == "forbidden"


def test_the_servers_own_names_are_let_in(url: str) -> None:
    port = urlsplit(url).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
        assert knock(url, "agent-token", host=host).status_code == 200
    assert knock(url, "agent-token", origin=f"http://127.0.0.1:{port}").status_code == 200


def test_two_hosts_or_two_credentials_are_one_too_many(url: str) -> None:
    port = urlsplit(url).port
    host = f"host: 127.0.0.1:{port}\r\n"
    twice = "authorization: Bearer wrong\r\n" + HEADERS
    end = "connection: close\r\ncontent-length: 2\r\n\r\n{}"
    assert b" 400 " in raw(url, f"POST /mcp HTTP/1.1\r\n{host}{twice}{end}").split(b"\r\n")[0]
    two_hosts = raw(url, f"POST /mcp HTTP/1.1\r\n{host}host: evil.example\r\n{HEADERS}{end}")
    assert two_hosts.split(b"\r\n")[0].split()[1] in {b"400", b"421"}


@pytest.mark.parametrize("path", ["/mcp", "/approvals"])
@pytest.mark.parametrize("is_declared", [True, False])
def test_a_body_too_large_is_refused_before_it_is_read(url: str, path: str, *, is_declared: bool) -> None:
    body = b"x" * (LARGEST_REQUEST_BYTES + 1)
    headers = {"authorization": "Bearer agent-token", "content-type": "application/json"}
    content: Any = body if is_declared else iter([body])
    answer = httpx2.post(url.removesuffix("/mcp") + path, content=content, headers=headers)
    assert (answer.status_code, error_in(answer)["code"]) == (413, "bad_argument")


@pytest.mark.parametrize("body", ["{", "[]", "[[" * 50_000, '"x"', "null", '{"method": 1}', "\x00"])
def test_what_is_no_request_is_an_error_and_no_defect(url: str, body: str) -> None:
    headers = {
        "authorization": "Bearer agent-token",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
    }
    answer = httpx2.post(url, content=body.encode(), headers=headers)
    assert 400 <= answer.status_code < 500
    assert isinstance(answer.json()["error"], dict)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("PUT", "/mcp"), ("GET", "/approvals")])
def test_a_route_that_is_none_says_so_in_an_error_object(url: str, method: str, path: str) -> None:
    answer = httpx2.request(
        method, url.removesuffix("/mcp") + path, headers={"authorization": "Bearer agent-token"}
    )
    assert 400 <= answer.status_code < 500
    assert isinstance(answer.json()["error"], dict)


def test_a_slow_body_is_given_up_and_others_do_not_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tool_servers.admission.LONGEST_BODY_S", 0.3)
    with opened(server_at) as url:
        port = urlsplit(url).port
        head = f"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{HEADERS}content-length: 100\r\n\r\n{{"
        with socket.create_connection(("127.0.0.1", port or 0), timeout=15) as slow:
            slow.sendall(head.encode())
            assert knock(url, "agent-token").status_code == 200
            answer = b""
            while not answer.endswith(b"}}}"):
                answer += slow.recv(4096)
        assert answer.split()[1] == b"408"
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["data"]["code"] == "time_limit"


def test_a_connection_that_never_asks_is_closed() -> None:
    with opened(server_at, http_protocol_class=patient(0.3)) as url:
        port = urlsplit(url).port
        silent = [socket.create_connection(("127.0.0.1", port or 0), timeout=15) for _ in range(20)]
        for line in silent[10:]:
            line.sendall(b"POST /mcp HTTP/1.1\r\nx: ")
        assert knock(url, "agent-token").status_code == 200
        for line in silent:
            assert line.recv(100) == b""
            line.close()


def test_a_caller_that_asks_too_often_is_told_to_wait_and_others_are_served() -> None:
    with opened(lambda url: server_at(url, agent=CallerSettings(calls_per_minute=1))) as url:
        for _ in range(10):
            assert knock(url, "agent-token").status_code == 200
        answers = (knock(url, "agent-token") for _ in range(50))
        last = next(answer for answer in answers if answer.status_code != 200)
        assert (last.status_code, last.headers["retry-after"]) == (429, "1")
        assert (error_in(last)["code"], error_in(last)["retryable"]) == ("rate_limited", True)
        held = url.removesuffix("/mcp") + "/held"
        assert httpx2.get(held, headers={"authorization": "Bearer operator-token"}).status_code == 200


def test_calls_are_counted_for_a_caller_of_few() -> None:
    with opened(lambda url: server_at(url, agent=CallerSettings(calls_per_minute=1))) as url:
        answer_of(call_tool(url, "agent-token", "explain_limits"))
        error = error_of(call_tool(url, "agent-token", "explain_limits"))
        assert (error["code"], error["retryable"]) == ("rate_limited", True)


def test_an_empty_list_of_tools_means_none() -> None:
    with opened(lambda url: server_at(url, agent=CallerSettings(tools=()))) as url:
        for name, arguments in (("explain_limits", {}), ("get_portfolio", {})):
            assert error_of(call_tool(url, "agent-token", name, **arguments))["code"] == "forbidden"
