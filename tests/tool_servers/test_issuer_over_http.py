"""The issuer's keys over real HTTP: rotation, outages, slowness and nonsense let no stranger in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from home.callers import OAuthSettings
from home.clock import FixedClock, WallClock
from tests.tool_servers.issuing import ISSUER, public_jwk
from tests.tool_servers.open_server import knock, opened
from tests.tool_servers.orders_door import Opened, error_at
from tool_servers import issuer_keys
from tool_servers.issuer_keys import COOL_DOWN, OLDEST, IssuerKeys, from_address

SOON_S = 1.0
"""Patience of these tests with a slow issuer."""
MOMENT = timedelta(seconds=1)


class Issuer:
    """An authorization server's key endpoint that behaves as it is told."""

    def __init__(self) -> None:
        self.mood = "well"
        self.names = ["one", "curve"]
        public_jwk("one"), public_jwk("two")  # made before anybody waits for them
        self.asked: list[str] = []
        self.release = threading.Event()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                issuer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/keys"

    def key_set(self) -> bytes:
        return json.dumps({"keys": [public_jwk(name) for name in self.names]}).encode()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        match self.mood:
            case "redirecting":
                handler.send_response(302)
                handler.send_header("location", self.url + "-elsewhere")
                handler.end_headers()
            case "nonsense":
                handler.wfile.write(b"\x00\x01 no HTTP at all\r\n\r\n")
            case "breaking off":
                self._send(handler, self.key_set()[:40], length=9_999)
            case "dripping":
                handler.send_response(200)
                handler.end_headers()
                while not self.release.wait(SOON_S / 20):
                    handler.wfile.write(b" ")
            case "silent":
                self.release.wait(60)  # longer than whoever knocks waits
            case mood:
                status, body = self._said(mood)
                self._send(handler, body, status=status)

    def _said(self, mood: str) -> tuple[int, bytes]:
        told = {
            "broken": (500, self.key_set()),
            "empty": (204, b""),
            "partial": (206, self.key_set()),
            "huge": (200, self.key_set() + b" " * 300_000),
            "nested": (200, b'{"keys":' + b"[" * 100_000),
            "no key set": (200, b'["one"]'),
            "twins": (200, json.dumps({"keys": [public_jwk("one"), public_jwk("two", kid="one")]}).encode()),
            "not text": (200, b"\xff\xfe\x00"),
        }
        return told.get(mood, (200, self.key_set()))

    def _send(
        self, handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, length: int | None = None
    ) -> None:
        handler.send_response(status)
        handler.send_header("content-length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    running = Issuer()
    yield running
    running.close()


class Door(Opened):
    """The orders server that reads the issuer's keys over HTTP, on a clock that tests move."""

    def __init__(self, tmp_path: Path, issuer: Issuer) -> None:
        self.now = FixedClock(WallClock().now())
        oauth = OAuthSettings(issuer=ISSUER, jwks_url=issuer.url)
        super().__init__(tmp_path, clock=self.now, oauth=oauth)

    def pass_time(self, span: timedelta) -> None:
        self.now.move_to(self.now.now() + span)

    @contextmanager
    def open(self) -> Iterator[str]:
        with opened(self.build) as url:
            yield url

    def says(self, url: str, **token: Any) -> int:
        return knock(url, self.issuer.token(**token)).status_code


@pytest.fixture
def door(tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr(issuer_keys.from_address, "__kwdefaults__", {"longest_s": SOON_S})
    return Door(tmp_path, issuer)


def test_keys_are_read_once_and_again_when_they_rotate(door: Door, issuer: Issuer) -> None:
    with door.open() as url:
        assert [door.says(url) for _ in range(3)] == [200, 200, 200]
        assert issuer.asked == ["/keys"]
        issuer.names = ["two"]
        door.pass_time(COOL_DOWN)
        assert door.says(url, key="two") == 200
        assert door.says(url) == 401
        assert len(issuer.asked) == 2


def test_strangers_cannot_make_the_issuer_be_asked_often(door: Door, issuer: Issuer) -> None:
    with door.open() as url:
        assert door.says(url) == 200
        for n in range(30):
            assert door.says(url, kid=f"made-up-{n}") == 401
        assert len(issuer.asked) == 1
        door.pass_time(COOL_DOWN)
        assert [door.says(url, kid=f"again-{n}") for n in range(10)] == [401] * 10
        assert len(issuer.asked) == 2
        assert door.says(url) == 200


def test_while_the_issuer_is_down_known_keys_count_until_they_are_old(door: Door, issuer: Issuer) -> None:
    with door.open() as url:
        assert door.says(url) == 200
        issuer.mood = "broken"
        door.pass_time(OLDEST)
        assert door.says(url) == 200
        door.pass_time(MOMENT)
        answer = knock(url, door.issuer.token())
        assert answer.status_code == 503
        assert (error_at(answer)["code"], error_at(answer)["retryable"]) == ("service_unavailable", True)
        asked = len(issuer.asked)
        assert door.says(url) == 503
        assert len(issuer.asked) == asked
        assert knock(url, "agent-token").status_code == 200
        issuer.mood = "well"
        door.pass_time(COOL_DOWN)
        assert door.says(url) == 200


@pytest.mark.parametrize(
    "mood",
    [
        *("redirecting", "nonsense", "breaking off", "broken", "empty", "partial", "huge", "nested"),
        *("no key set", "twins", "not text", "dripping", "silent"),
    ],
)
def test_an_issuer_that_answers_badly_lets_nobody_in_and_costs_little_time(
    door: Door, issuer: Issuer, mood: str
) -> None:
    issuer.mood = mood
    with door.open() as url:
        answer = knock(url, door.issuer.token())
        assert answer.status_code == 503, mood
        assert error_at(answer)["code"] == "service_unavailable"
        assert issuer.asked == ["/keys"]
        issuer.mood = "well"
        issuer.release.set()
        door.pass_time(COOL_DOWN)
        assert door.says(url) == 200


def test_a_slow_issuer_keeps_nobody_waiting_whose_key_is_known(issuer: Issuer) -> None:
    clock = FixedClock(WallClock().now())
    keys = IssuerKeys(from_address(issuer.url, longest_s=10), clock)
    assert keys.find("one") is not None
    issuer.mood = "silent"
    clock.move_to(clock.now() + COOL_DOWN)
    stranger = threading.Thread(target=keys.find, args=("made-up",))
    stranger.start()
    while len(issuer.asked) < 2:
        assert stranger.is_alive()
    assert keys.find("one") is not None
    assert stranger.is_alive()
    issuer.release.set()
    stranger.join(10)


def test_an_issuer_that_never_ends_an_answer_holds_one_thread_and_no_more(issuer: Issuer) -> None:
    issuer.mood = "dripping"
    read = from_address(issuer.url, longest_s=SOON_S)
    for _ in range(5):
        with pytest.raises(OSError, match=r"in time|earlier answer"):
            read()
    assert issuer.asked == ["/keys"]
    assert sum(each.name == "issuer-keys" for each in threading.enumerate()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_keys_over_plain_http_come_from_this_machine_alone(host: str) -> None:
    assert OAuthSettings(issuer=ISSUER, jwks_url=f"http://{host}:8/keys").jwks_url
    for wrong in ("http://keys.example/", f"http://{host}.example/", "file:///keys", "ftp://127.0.0.1/k"):
        with pytest.raises(ValidationError, match="https"):
            OAuthSettings(issuer=ISSUER, jwks_url=wrong)
