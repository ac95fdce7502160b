"""Sockets, secrets and addresses, before anything is served."""

from __future__ import annotations

import io
import json
import socket

import pytest

from tool_servers.access import Callers
from tool_servers.assembly import ServerCard, build_server
from tool_servers.serving import (
    Address,
    LaunchSecrets,
    listen,
    parse_address,
    read_secrets,
    serve_http,
    url_of,
)
from when_to_invest.errors import ErrorCode, Fault

PASSPHRASE = "correct horse battery"  # noqa: S105 - planted to be looked for


def test_secrets_make_the_round_through_one_line() -> None:
    secrets = LaunchSecrets(Callers({"ab": "agent"}), PASSPHRASE)
    line = secrets.as_line()
    assert line.count("\n") == 1
    assert read_secrets(io.StringIO(line)) == secrets


def test_a_passphrase_is_not_shown_by_accident() -> None:
    assert PASSPHRASE not in repr(LaunchSecrets(Callers({}), PASSPHRASE))


@pytest.mark.parametrize("line", ["", "x", "[]", "{}", '{"callers": 1}', f'{{"passphrase": "{PASSPHRASE}"'])
def test_a_broken_secrets_line_is_refused_and_never_repeated(line: str) -> None:
    with pytest.raises(Fault) as error:
        read_secrets(io.StringIO(line + "\n"))
    assert error.value.code is ErrorCode.BAD_ARGUMENT
    assert PASSPHRASE not in json.dumps(error.value.as_json())


def test_a_busy_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Fault, match=str(port)) as error:
            listen(Address("127.0.0.1", port))
    assert error.value.code is ErrorCode.PORT_BUSY


def test_only_loopback_is_ever_bound() -> None:
    with pytest.raises(Fault):
        listen(Address("0.0.0.0", 0))  # noqa: S104 - that it is refused is the point


def test_port_zero_becomes_a_real_address() -> None:
    listener = listen(Address("127.0.0.1", 0))
    with listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        # asyncio turns the 40 ms wait off only for sockets that name their protocol.
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(("text", "port"), [("127.0.0.1:0", 0), ("localhost:8123", 8123)])
def test_an_address_on_loopback_is_read(text: str, port: int) -> None:
    assert parse_address(text) == Address("127.0.0.1", port)


@pytest.mark.parametrize(
    "text", ["", "8000", "0.0.0.0:80", "example.com:80", "127.0.0.1:x", "127.0.0.1:70000"]
)
def test_any_other_address_is_refused(text: str) -> None:
    with pytest.raises(Fault) as error:
        parse_address(text)
    assert error.value.code is ErrorCode.BAD_ARGUMENT


def test_a_server_ends_when_what_it_does_by_itself_dies() -> None:
    async def dies() -> None:
        raise KeyError("d-1")

    server = build_server(ServerCard("orders", "Nothing."), ())
    with (
        listen(Address("127.0.0.1", 0)) as listener,
        pytest.raises(Fault, match="ended with KeyError") as ended,
    ):
        serve_http(server, listener, background=dies, on_ready=lambda _: None)
    assert ended.value.code is ErrorCode.INTERNAL
