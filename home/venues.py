"""`[venues.NAME]` of config.toml: which exchange, which pairs, and what is known of the account's tier.

No secret belongs here: keys come from the executor's own environment.
"""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from home.section import Section
from when_to_invest.instruments import InstrumentId

PAPER = "paper"
"""The venue that is always there: this home's own books."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ExchangeId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,16}/[A-Z0-9]{1,16}$")]
Asset = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,16}$")]


class VenueSettings(Section):
    """One account at one exchange, by the id that ccxt gives it; its sandbox, unless `sandbox = false`.

    `symbols`: our instrument to the venue's pair. `dollars`: quote assets that count as one US
    dollar each. `endpoint_url`: a sandbox on this machine. The rates are those of the
    account's own tier at the venue, in the venue's weights.
    """

    exchange: ExchangeId
    sandbox: bool = True
    symbols: dict[InstrumentId, Symbol] = Field(default_factory=dict, min_length=1)
    dollars: tuple[Asset, ...] = ("USD",)
    endpoint_url: str | None = None
    timeout_s: float = Field(default=10.0, ge=0.1, le=60.0)
    requests_per_s: float | None = Field(default=None, gt=0.0, le=10_000.0)
    orders_per_s: float | None = Field(default=None, gt=0.0, le=10_000.0)

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        """Return base and quote asset of each instrument."""
        sides = {name: symbol.split("/") for name, symbol in self.symbols.items()}
        return {name: (base, quote) for name, (base, quote) in sides.items()}

    @field_validator("endpoint_url")
    @classmethod
    def _is_near(cls, url: str | None) -> str | None:
        """Keys must not be sent to an address that somebody wrote into a file."""
        if url is not None and urlsplit(url).hostname not in LOOPBACK:
            raise ValueError("endpoint_url names another machine; only this one's own addresses are taken")
        return url

    @model_validator(mode="after")
    def _live_is_the_exchange_itself(self) -> Self:
        if self.endpoint_url is not None and not self.sandbox:
            raise ValueError("a live venue is reached at its own address: remove endpoint_url")
        if len(set(self.symbols.values())) < len(self.symbols):
            raise ValueError("two instruments have the same symbol")
        return self
