"""`[ledger]`: where the journal stands, named without its password."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator

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


class LedgerSettings(Section):
    """The journal: a SQLite file in the home, or with `url` a PostgreSQL database.

    `url` names role, host and database; the password comes from the environment.
    """

    url: Annotated[str, AfterValidator(_without_password)] = ""
