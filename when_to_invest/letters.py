"""Dead letters: messages that the order queue gave up on, and how a person answered each.

Their events and the fold over them. A letter moves no decision and no money; what it says
of itself is a claim. Its body stays in the queue: it may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Final, Literal

from pydantic import Field

from when_to_invest.breakers import SYSTEM
from when_to_invest.values import DecisionId, Hash, Instant, Mode, Name, Value

MOST_GROUP: Final = 200
CHAIN_VENUE: Final = "chain"
_PART: Final = re.compile(r"[A-Za-z0-9._/-]+")
_GROUP_PARTS: Final = 3


@unique
class Answer(StrEnum):
    """What a person made of a dead letter."""

    REDRIVEN = "redriven"
    DISCARDED = "discarded"


class DeadLetterArrived(Value):
    """The queue set a message aside. `code` and `message` say what is wrong with it."""

    kind: Literal["dead_letter_arrived"] = "dead_letter_arrived"
    at: Instant
    mode: Mode
    message_id: str = Field(max_length=200)
    group: str = Field(max_length=MOST_GROUP)
    claimed_decision_id: DecisionId | None
    body_hash: Hash
    receive_count: int = Field(ge=0)
    code: str = Field(max_length=100)
    message: str = Field(max_length=500)


class DeadLetterAnswered(Value):
    """A person had the decision judged and sealed anew, or threw the letter away."""

    kind: Literal["dead_letter_answered"] = "dead_letter_answered"
    at: Instant
    mode: Mode
    message_id: str = Field(max_length=200)
    answer: Answer
    by: Name
    why: str = Field(max_length=200)


LetterFact = DeadLetterArrived | DeadLetterAnswered


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter; `answered` is None while it waits for a person."""

    arrived: DeadLetterArrived
    answered: DeadLetterAnswered | None = None


@dataclass(slots=True)
class Letterbox:
    """Mutable fold: every letter by its message's id, oldest first."""

    letters: dict[str, Letter] = field(default_factory=dict)

    def apply(self, event: object) -> None:
        """Advance by one event; those that are about no letter change nothing."""
        if isinstance(event, DeadLetterArrived):
            self.letters.setdefault(event.message_id, Letter(event))
        elif isinstance(event, DeadLetterAnswered) and event.message_id in self.letters:
            letter = self.letters[event.message_id]
            if letter.answered is None:
                self.letters[event.message_id] = Letter(letter.arrived, event)

    def waiting(self) -> tuple[Letter, ...]:
        """Return the letters that nobody has answered, oldest first."""
        return tuple(letter for letter in self.letters.values() if letter.answered is None)


def letterbox(happened: Iterable[object]) -> Letterbox:
    """Return the letters after `happened`, which is in journal order."""
    box = Letterbox()
    for event in happened:
        box.apply(event)
    return box


def halted_scope(group: str) -> str:
    """Return the scope that stands still when a message of `group` dies.

    Nothing is narrower than an instrument, so it stops in every account and venue; a group
    that no gate of ours would have given stops everything.
    """
    parts = group.split("|")
    if len(parts) != _GROUP_PARTS or not all(_PART.fullmatch(part) for part in parts):
        return SYSTEM
    return f"venue:{CHAIN_VENUE}" if parts[1] == CHAIN_VENUE else f"instrument:{parts[2]}"
