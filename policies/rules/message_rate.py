"""Messages for one account, venue and instrument are limited in number."""

from __future__ import annotations

from typing import Final

from policies.facts import Facts
from policies.limits import Limits
from policies.rule import Rule
from when_to_invest.intents import OrderIntent
from when_to_invest.verdicts import Reason

_ID: Final = "message_rate"


def _check(_intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    windows = (
        (facts.messages_last_minute, limits.max_messages_per_minute, "minute"),
        (facts.messages_last_hour, limits.max_messages_per_hour, "hour"),
    )
    for before, most, window in windows:
        if before + 1 > most:
            return Reason(
                code="message_rate_exceeded",
                rule=_ID,
                limit=str(most),
                attempted=str(before + 1),
                overage=str(before + 1 - most),
                unit=f"messages in a {window}",
                fix=f"wait until fewer than {most} of your proposals and all sealed orders "
                f"for this instrument lie in the last {window}",
            )
    return None


RULE: Final[Rule[OrderIntent]] = Rule(
    id=_ID,
    guards="a runaway loop, and one order split into many",
    source="MiFID II RTS 6 art. 15(1)(d)",
    codes={
        "message_rate_exceeded": "too many of the proposer's proposals and of all sealed orders "
        "for this account, venue and instrument"
    },
    check=_check,
)
