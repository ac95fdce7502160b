"""What can go wrong, one word each, and how often it does under one seed.

Every seed has a weather of its own: some of the words, each with its odds. So rare coincidences of
two happen, and long quiet stretches, too.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum, unique

from executor.probe import Point


@unique
class Bad(StrEnum):
    """The alphabet of faults (controls, failure modes)."""

    DUPLICATE = "a message was sent twice"
    REORDER = "messages were reordered"
    REDELIVERED = "a message came again while it was worked on"
    FORGED = "a message was forged"
    POISON = "a message was no envelope"
    QUEUE_DOWN = "the queue did not answer"
    QUEUE_LOST_REPLY = "the queue did it and its answer was lost"
    REQUEST_LOST = "an order was lost on its way"
    REPLY_LOST = "an order was taken and the answer lost"
    DELAYED = "an order arrived after its sender gave up"
    TOO_LATE = "an order arrived after its validity"
    VISIBLE_LATE = "an order was taken and not shown at first"
    FOREIGN_ERROR = "an order was taken and an unlisted error raised"
    WRONG_ANSWER = "the venue answered about another order"
    DECLINED = "an order was declined"
    UNSENT = "an order was not sent"
    WRONG_STATUS = "the venue told an old status"
    TRADES_LATE = "the venue told trades late"
    PARTIAL_FILL = "an order was filled in part"
    FILL_RACED_CANCEL = "a fill raced a cancel"
    CANCEL_REFUSED = "a cancel failed"
    CANCEL_REPLY_LOST = "a cancel was done and its answer lost"
    VENUE_DEAF = "the venue did not answer"
    EXPIRED = "an order expired at the venue"
    CLOCK_FORWARD = "the clock jumped forward"
    CLOCK_BACK = "the clock jumped back"
    JOURNAL_CONFLICT = "another writer was faster"
    JOURNAL_FAILING = "the journal did not answer"
    APPEND_TORN = "an append was durable and its answer lost"
    DISK_FULL = "the disk was full"
    LATCH_DROPPED = "a latch was dropped"
    HALT_JOURNALLED = "a halt was journalled"
    HALTED_BETWEEN = "a halt fell between an intention and its sending"
    RESUMED = "people lifted a halt"
    CANCEL_REQUESTED = "a cancel was requested"
    STOPPED = "a process was stopped"
    STOPPED_BETWEEN = "a process was stopped between an intention and its sending"
    ZOMBIE = "a process woke after another took over"
    SECOND_EXECUTOR = "a second executor was started"
    SIGTERM = "a process was asked to stop"


@unique
class Death(StrEnum):
    """Where a process may be killed, besides at the executor's own points."""

    AWAIT = "at an await"
    BEFORE_APPEND = "before an append"
    AFTER_APPEND = "after an append was durable"
    TORN_APPEND = "after an append was durable whose answer was lost"
    BEFORE_SUBMIT = "before a submit"
    AFTER_SUBMIT = "after a submit"
    BEFORE_CANCEL = "before a cancel"
    AFTER_CANCEL = "after a cancel"
    BEFORE_FIND = "before a find"
    BEFORE_TRADES = "before trades"
    AFTER_RECEIVE = "after a receive"
    BEFORE_DELETE = "before a delete"
    AFTER_DELETE = "after a delete"


PLACES = frozenset({*(death.value for death in Death), *(f"point {point.value}" for point in Point)})
_ODDS = {
    Bad.DISK_FULL: 0.01,
    Bad.JOURNAL_FAILING: 0.02,
    Bad.APPEND_TORN: 0.03,
    Bad.PARTIAL_FILL: 0.5,
    Bad.HALTED_BETWEEN: 0.4,
    Bad.STOPPED_BETWEEN: 0.3,
    Bad.FILL_RACED_CANCEL: 0.5,
    Bad.REPLY_LOST: 0.25,
    Bad.REQUEST_LOST: 0.25,
    Bad.DELAYED: 0.3,
    Bad.VISIBLE_LATE: 0.3,
    Bad.WRONG_STATUS: 0.4,
    Bad.TRADES_LATE: 0.4,
}
"""How often, where it is not as often as most."""
_SWARM = 0.35


@dataclass
class Weather:
    """What goes wrong under one seed."""

    dice: random.Random
    is_stormy: bool = True
    odds: dict[Bad, float] = field(default_factory=dict)
    happened: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for bad in Bad:
            usual = _ODDS.get(bad, 0.15)
            is_on = self.dice.random() < _SWARM
            self.odds[bad] = usual * (0.3 + 1.4 * self.dice.random()) if is_on else 0.0
        self.death_odds = 0.02 if self.dice.random() < 0.7 else 0.0

    def strikes(self, bad: Bad) -> bool:
        """Whether this goes wrong now; it is taken note of."""
        odds = self.odds[bad]
        if not odds or not self.is_stormy or self.dice.random() >= odds:
            return False
        self.happened[bad.value] += 1
        return True

    def note(self, bad: Bad) -> None:
        """Take note of something that somebody made go wrong."""
        self.happened[bad.value] += 1

    def kills(self, odds: float | None = None) -> bool:
        """Whether a process dies here; with `odds` as often as they say, where any dies."""
        if not self.death_odds or not self.is_stormy:
            return False
        return self.dice.random() < (self.death_odds if odds is None else odds)
