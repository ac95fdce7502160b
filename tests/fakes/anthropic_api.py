"""A Messages API over real HTTP: scripted replies as server-sent events, injected failures."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Blocks = list[dict[str, Any]]
Policy = Callable[[dict[str, Any]], Blocks]
_KINDS = {401: "authentication_error", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}
_PIECE = 11


def said(text: str) -> Blocks:
    return [{"type": "text", "text": text}]


def called(identity: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identity, "name": name, "input": arguments}


def tool_results(body: dict[str, Any]) -> dict[str, str]:
    """Return the text of every tool result in a request, by call id."""
    blocks = [
        block
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block["type"] == "tool_result"
    ]
    return {block["tool_use_id"]: json.dumps(block["content"]) for block in blocks}


@dataclass
class FakeAnthropic:
    """`policy` writes each reply; `failures` are HTTP statuses given first, 0 meaning none."""

    policy: Policy
    failures: list[int] = field(default_factory=list)
    breaks_streams: int = 0
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def _event(kind: str, **told: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **told})}\n\n".encode()


def _stream(model: str, blocks: Blocks) -> Iterator[bytes]:
    usage = {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 0,
    }
    message = {"id": "msg_fake", "type": "message", "role": "assistant", "model": model, "content": []}
    yield _event(
        "message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage}
    )
    for index, block in enumerate(blocks):
        is_call = block["type"] == "tool_use"
        empty = {**block, "input": {}} if is_call else {"type": "text", "text": ""}
        yield _event("content_block_start", index=index, content_block=empty)
        whole = json.dumps(block["input"]) if is_call else block["text"]
        for start in range(0, len(whole), _PIECE):
            piece = whole[start : start + _PIECE]
            kind = "input_json_delta" if is_call else "text_delta"
            named = {"partial_json": piece} if is_call else {"text": piece}
            yield _event("content_block_delta", index=index, delta={"type": kind, **named})
        yield _event("content_block_stop", index=index)
    stop = "tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn"
    yield _event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=usage)
    yield _event("message_stop")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: FakeAnthropic

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's signature
        return

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.api.requests.append(body)
        self.api.headers.append({key.lower(): value for key, value in self.headers.items()})
        status = self.api.failures.pop(0) if self.api.failures else 0
        if status:
            self._fail(status)
        else:
            self._answer(body)

    def _fail(self, status: int) -> None:
        kind = _KINDS[status]
        told = json.dumps({"type": "error", "error": {"type": kind, "message": "injected"}}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _answer(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for number, event in enumerate(_stream(body["model"], self.api.policy(body))):
            if number == 2 and self.api.breaks_streams > 0:
                self.api.breaks_streams -= 1
                self.wfile.write(_event("error", error={"type": "overloaded_error", "message": "injected"}))
                return
            self.wfile.write(event)


@contextmanager
def anthropic_api(policy: Policy, **settings: Any) -> Iterator[FakeAnthropic]:
    """Serve `policy` on a free port of the loopback."""
    api = FakeAnthropic(policy, **settings)
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
