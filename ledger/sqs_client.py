"""Reaches SQS through boto3, over an encrypted connection only, and translates what it answers.

boto3 is imported when a client is made, never before. Nothing here knows a message.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ledger.queue import MAX_WAIT_S
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    from home.settings import QueueSettings

CONNECT_TIMEOUT_S: Final = 3.0
READ_TIMEOUT_S: Final = MAX_WAIT_S + 5.0
ATTEMPTS: Final = 3
"""Tries a call. Each is safe to repeat: a send by its deduplication id, a receive by its
attempt id, a delete or extension by its receipt."""
EXPIRED: Final = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"})
_MISSING: Final = frozenset({"QueueDoesNotExist", "NonExistentQueue", "QueueDeletedRecently"})
_DENIED: Final = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "KmsAccessDenied",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_CHANGED: Final = frozenset({"QueueNameExists", "QueueAlreadyExists"})


def connect_sqs(settings: QueueSettings) -> SQSClient:
    """Return a client with short timeouts; no message is exchanged yet.

    Raises:
        Fault: `bad_config` for an address that is not encrypted, `queue_unavailable` when no
            client can be made from the settings.
    """
    import boto3
    from botocore.config import Config

    ensure_encrypted(settings.endpoint_url, key="queue.endpoint_url")
    ensure_encrypted(settings.url or None, key="queue.url")
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        parameter_validation=False,
    )
    with translated("reach the queue"):
        return boto3.session.Session().client(
            "sqs", region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
        )


def ensure_encrypted(address: str | None, *, key: str) -> None:
    """Refuse an address that is not https, unless nothing leaves this machine.

    None stands for AWS's own addresses, which are https.

    Raises:
        Fault: `bad_config`, naming `key`.
    """
    if address is None:
        return
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        parts, host = None, ""
    scheme = parts.scheme if parts else ""
    if host and (scheme == "https" or (scheme == "http" and _is_loopback(host))):
        return
    raise Fault(
        ErrorCode.BAD_CONFIG,
        f"{key} is no https:// address, so envelopes would travel in the open",
        fix=f"give {key} an https:// address; http:// is for a server on 127.0.0.1 alone",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def translated(doing: str, *, expired: frozenset[str] = frozenset()) -> Iterator[None]:
    """Turn botocore's errors into faults; `expired` lists codes that mean a stale receipt."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        raise fault_of(error.response.get("Error", {}).get("Code", ""), doing, expired=expired) from error
    except NoCredentialsError as error:
        raise fault_of("AccessDenied", doing) from error
    except (BotoCoreError, ValueError) as error:
        raise _unavailable(doing, type(error).__name__) from error


def fault_of(code: str, doing: str, *, expired: frozenset[str] = frozenset()) -> Fault:
    """Return the fault that SQS's error `code` means while `doing` something."""
    short = code.rpartition(".")[2]
    if short in expired:
        return Fault(
            ErrorCode.RECEIPT_EXPIRED,
            "the message's visibility ended before it was dealt with",
            fix="do nothing; the message is delivered again and the journal says what was done",
        )
    if short in _MISSING:
        return Fault(
            ErrorCode.QUEUE_MISSING,
            f"cannot {doing}: the queue does not exist",
            fix="create it, or correct queue.url in config.toml",
        )
    if short in _DENIED:
        return Fault(
            ErrorCode.UNAUTHENTICATED,
            f"cannot {doing}: the queue refuses this process's credentials ({short})",
            fix="give this process the role its side of the queue needs",
        )
    if short in _CHANGED:
        return Fault(
            ErrorCode.BAD_CONFIG,
            f"cannot {doing}: a queue of that name exists with other attributes",
            fix="change the queue's attributes by hand, or choose another name",
        )
    return _unavailable(doing, short)


def _unavailable(doing: str, why: str) -> Fault:
    return Fault(
        ErrorCode.QUEUE_UNAVAILABLE,
        f"cannot {doing}: the queue does not answer ({why})",
        fix="check queue.endpoint_url and the network, then try again",
    )
