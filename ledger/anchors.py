"""Keeps the journal's head where nobody who can write the journal can change it.

Each anchor is one small object in a bucket with object lock, retained in compliance mode:
not even the account's root may remove or overwrite it before its date. A history that was
rewritten whole, with every hash, still contradicts the anchors made before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from home.ledger import AnchorSettings
from ledger.journal import Head, Journal
from ledger.verify import FirstBad
from when_to_invest.canonical import canonical_bytes, utc_text
from when_to_invest.errors import ErrorCode, Fault

COMPLIANCE: Final = "COMPLIANCE"
_DENIED: Final = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"})
_ABSENT: Final = frozenset({"NoSuchBucket", "NotFound", "404"})

if TYPE_CHECKING:
    S3Client = Any


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head, and when it was anchored."""

    head: Head
    at: datetime

    def body(self) -> bytes:
        """Return the object's content."""
        return canonical_bytes(
            {"sequence": self.head.sequence, "head": self.head.hash, "time": utc_text(self.at)}
        )


@dataclass(frozen=True, slots=True)
class S3Anchors:
    """The anchors of one journal: objects below a prefix of one bucket."""

    client: S3Client
    settings: AnchorSettings

    def write(self, head: Head, *, at: datetime) -> Anchor:
        """Anchor `head`, and look that the store really locked it.

        Raises:
            Fault: `bad_config` when the bucket does not lock; `storage_failed`,
                `unauthenticated` or `service_unavailable`.
        """
        anchor = Anchor(head, at)
        key = f"{self.settings.prefix}{head.sequence:020d}-{head.hash}.json"
        place = {"Bucket": self.settings.bucket, "Key": key}
        with _translated("anchor the journal"):
            written = self.client.put_object(
                **place,
                Body=anchor.body(),
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
                ObjectLockMode=COMPLIANCE,
                ObjectLockRetainUntilDate=at + timedelta(days=self.settings.retention_days),
            )
            kept = self.client.head_object(**place, VersionId=written.get("VersionId", ""))
        if kept.get("ObjectLockMode") != COMPLIANCE:
            raise _unlocked()
        return anchor

    def read(self) -> Iterator[Anchor]:
        """Yield every anchor, oldest sequence first: all versions, whatever was laid over them.

        Raises:
            Fault: `journal_corrupt` when an object is no anchor; `unauthenticated`,
                `service_unavailable`.
        """
        with _translated("read the anchors"):
            pages = self.client.get_paginator("list_object_versions").paginate(
                Bucket=self.settings.bucket, Prefix=self.settings.prefix
            )
            found = [version for page in pages for version in page.get("Versions", [])]
        for version in sorted(found, key=lambda item: str(item["Key"])):
            with _translated("read the anchors"):
                answer = self.client.get_object(
                    Bucket=self.settings.bucket, Key=version["Key"], VersionId=version["VersionId"]
                )
                body = answer["Body"].read()
            yield _anchor(body, str(version["Key"]))


def connect_s3(settings: AnchorSettings) -> S3Client:
    """Return a client for the bucket; credentials come from the environment."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        config=Config(
            connect_timeout=5,
            read_timeout=20,
            retries={"total_max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
        ),
    )


def contradiction(journal: Journal, anchors: Iterable[Anchor]) -> FirstBad | None:
    """Return where the journal says other than an anchor, or none.

    Raises:
        Fault: `journal_corrupt` when the journal's own chain does not check.
    """
    waiting = sorted({anchor.head for anchor in anchors}, key=lambda head: head.sequence, reverse=True)
    while waiting and waiting[-1].sequence == 0:
        waiting.pop()
    for recorded in journal.read():
        while waiting and waiting[-1].sequence == recorded.sequence:
            if waiting.pop().hash != recorded.hash:
                return FirstBad(recorded.sequence, "an anchor saw another event in its place")
    if waiting:
        return FirstBad(waiting[-1].sequence, "it is missing though an anchor saw it")
    return None


def _anchor(body: bytes, key: str) -> Anchor:
    try:
        told = json.loads(body)
        head = Head(int(told["sequence"]), bytes.fromhex(told["head"]).hex())
        return Anchor(head, datetime.fromisoformat(told["time"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Fault(
            ErrorCode.JOURNAL_CORRUPT,
            f"the object {key} below the anchors' prefix is no anchor",
            fix="find out who wrote it; anchors are read from all versions, so nothing is lost",
        ) from error


def _unlocked() -> Fault:
    return Fault(
        ErrorCode.BAD_CONFIG,
        "the bucket for anchors did not lock the object",
        fix="make a bucket with object lock enabled, and name it as ledger.anchors.bucket",
    )


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn botocore's errors into faults."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        raise _fault(str(error.response.get("Error", {}).get("Code", "")), doing) from error
    except NoCredentialsError as error:
        raise _fault("AccessDenied", doing) from error
    except (BotoCoreError, ValueError) as error:
        raise _fault(type(error).__name__, doing) from error


def _fault(code: str, doing: str) -> Fault:
    if code in _DENIED:
        return Fault(
            ErrorCode.UNAUTHENTICATED,
            f"cannot {doing}: the store refuses these credentials ({code})",
            fix="give this process a role that may put, list and read below the anchors' prefix",
        )
    if code in {"InvalidRequest", "ObjectLockConfigurationNotFoundError"}:
        return _unlocked()
    if code in _ABSENT:
        return Fault(
            ErrorCode.BAD_CONFIG,
            f"cannot {doing}: the bucket does not exist",
            fix="correct ledger.anchors.bucket, or make it with object lock enabled",
        )
    return Fault(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"cannot {doing}: the store does not answer ({code})",
        fix="check ledger.anchors.endpoint_url and the network, then try again",
    )
