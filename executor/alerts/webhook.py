"""Delivers notices to a webhook: signed, with an idempotency key, over TLS.

Stage: adapter. It follows no redirection and reads no answer but its status. Plain HTTP is only for an
address of this machine.

Signature: `X-Signature: t=<unix seconds>,v1=<hex>`, where the hex is HMAC-SHA256 over `<t>.<body>`.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urlsplit

from executor.alerts.notice import Notice
from home.operations import demand_safe
from when_to_invest.errors import ErrorCode, Fault

TIMEOUT_S: Final = 5.0
SHORTEST_SECRET: Final = 16
_OK: Final = range(200, 300)
_RETRYABLE: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


class Webhook:
    """Posts each notice as JSON to one address."""

    name = "webhook"

    def __init__(self, url: str, *, secret: str, now_s: Callable[[], float] = time.time) -> None:
        """Take the address and the secret that the receiver checks signatures with.

        Raises:
            Fault: `bad_config` when the address is not https, or the secret is missing or short.
        """
        try:
            demand_safe(url)
        except ValueError as error:
            raise Fault(ErrorCode.BAD_CONFIG, f"operations.webhook_url: {error}", fix="correct it") from error
        if len(secret) < SHORTEST_SECRET:
            raise Fault(
                ErrorCode.BAD_CONFIG,
                f"the webhook's secret is missing or shorter than {SHORTEST_SECRET} signs",
                fix="set WHEN_TO_INVEST_ALERT_SECRET in the executor's environment",
            )
        self._url = urlsplit(url)
        self._secret = secret.encode()
        self._now_s = now_s

    def deliver(self, notice: Notice) -> None:
        """See `Channel.deliver`."""
        body = json.dumps(notice.as_json(), sort_keys=True).encode()
        status = self._posted(body, key=notice.idempotency_key)
        if status in _OK:
            return
        is_worth_it = status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        code = ErrorCode.SERVICE_UNAVAILABLE if is_worth_it else ErrorCode.BAD_CONFIG
        raise Fault(code, f"the webhook answered {status}", fix="check its address and its secret")

    def signature(self, body: bytes, *, at_s: int) -> str:
        """Return the header that proves who sent `body` and when."""
        proof = hmac.new(self._secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={at_s},v1={proof}"

    def _posted(self, body: bytes, *, key: str) -> int:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "X-Signature": self.signature(body, at_s=int(self._now_s())),
        }
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        connection = _connection(self._url)
        try:
            connection.request("POST", path, body=body, headers=headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise Fault(
                ErrorCode.SERVICE_UNAVAILABLE,
                f"the webhook did not answer: {type(error).__name__}",
                fix="it is tried again",
            ) from error
        finally:
            connection.close()


def _connection(url: SplitResult) -> http.client.HTTPConnection:
    host = url.hostname or ""
    if url.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, url.port, timeout=TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, url.port, timeout=TIMEOUT_S)
