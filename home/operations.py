"""`[operations]` of config.toml: who is told what the executor does. No secret belongs here."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from home.section import Section
from home.venues import LOOPBACK


def demand_safe(url: str) -> str:
    """Return `url` when it is https, or on this machine.

    Raises:
        ValueError: why it may not be used.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address holds no credentials")
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        raise ValueError("an address holds no blanks")
    is_near = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_near):
        raise ValueError("only https is spoken with other machines")
    _ = parts.port
    return url


def _safe_or_empty(url: str) -> str:
    return demand_safe(url) if url else url


def _is_address(host: str) -> str:
    return str(ip_address(host))


class OperationsSettings(Section):
    """Figures on stdout, the health endpoint's address, and where alerts go besides the log.

    `health_port = 0` lets the system choose. Another `health_host` than loopback is for a
    container whose orchestrator asks from outside; what is answered there holds no secret.
    """

    metrics: Literal["none", "emf"] = "none"
    metrics_every_s: float = Field(default=60.0, ge=1.0, le=3600.0)
    health_host: Annotated[str, AfterValidator(_is_address)] = "127.0.0.1"
    health_port: int = Field(default=0, ge=0, le=65_535)
    webhook_url: Annotated[str, AfterValidator(_safe_or_empty)] = ""
    sns_topic_arn: str = Field(
        default="", pattern=r"^(arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?)?$"
    )
    sns_endpoint_url: Annotated[str, AfterValidator(_safe_or_empty)] | None = None
    quiet_s: float = Field(default=900.0, ge=1.0, le=86_400.0)
