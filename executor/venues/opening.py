"""Opens the one venue that a home trades at: its own paper books, or an exchange by configuration.

Stage: executor, at start. An exchange is its sandbox unless a table says otherwise, and then
only in live mode; a key is read from this process's own environment.
"""

from __future__ import annotations

from collections.abc import Mapping

from executor.offload import Offload
from executor.venues.paper import PAPER, PaperVenue, Prices
from executor.venues.port import Venue
from home.clock import Clock
from home.paths import Home
from home.settings import Settings
from home.venues import VenueSettings
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.values import Mode


def open_venue(
    home: Home,
    settings: Settings,
    *,
    prices: Prices,
    clock: Clock,
    offload: Offload,
    environment: Mapping[str, str],
) -> Venue:
    """Return the venue that `settings` names; nothing is asked of it. Needs a running loop.

    Raises:
        Fault: `bad_config` for a venue that is not configured, or that ccxt cannot serve;
            `mode_mismatch` for one of another mode; `key_missing` without its key.
    """
    if settings.venue == PAPER:
        return PaperVenue(
            home.paper_venue,
            mode=settings.mode,
            prices=prices,
            clock=clock,
            settings=settings.paper,
            offload=offload,
        )
    table = _table(settings)
    from executor.venues.ccxt.connect import connect
    from executor.venues.ccxt.credentials import credentials_of

    keys = credentials_of(settings.venue, environment)
    return connect(settings.venue, table, credentials=keys, clock=clock)


def _table(settings: Settings) -> VenueSettings:
    name = settings.venue
    table = settings.venues.get(name)
    if table is None:
        raise Fault(
            ErrorCode.BAD_CONFIG,
            f"there is no venue {name!r}",
            fix=f'set venue = "{PAPER}", or add a table [venues.{name}]',
        )
    wanted = Mode.PAPER if table.sandbox else Mode.LIVE
    if settings.mode is not wanted:
        raise Fault(
            ErrorCode.MODE_MISMATCH,
            f"the venue {name} is {wanted.value}, this home is {settings.mode.value}",
            fix=f'set mode = "{wanted.value}", or use a venue of the home\'s own mode',
        )
    return table
