"""`[ledger]`: where the journal stands and is anchored, named without any secret."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from home.section import Section

_SCHEMES: Final = frozenset({"postgresql", "postgres"})
_SECRETS: Final = frozenset({"password", "passfile", "sslpassword"})


def _without_password(url: str) -> str:
    if not url:
        return url
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.path.strip("/"):
        raise ValueError("must be postgresql://ROLE@HOST/DATABASE, or empty for the file in the home")
    if parts.password is not None or any(name.lower() in _SECRETS for name, _ in parse_qsl(parts.query)):
        raise ValueError("must not hold a password; set WHEN_TO_INVEST_LEDGER_PASSWORD instead")
    return url


class AnchorSettings(Section):
    """The bucket with object lock in which the journal's head is kept; none without a name."""

    bucket: str = ""
    prefix: str = "anchors/"
    region: str = "us-east-1"
    endpoint_url: str | None = None
    retention_days: int = Field(default=2_557, ge=1, le=36_500)
    """Seven years: what is kept longest of a journal's records."""


class LedgerSettings(Section):
    """The journal: a SQLite file in the home, or with `url` a PostgreSQL database.

    `url` names role, host and database; the password comes from the environment.
    """

    url: Annotated[str, AfterValidator(_without_password)] = ""
    anchors: AnchorSettings = AnchorSettings()
