"""Every error a user, a script or an agent can meet: code, meaning, exit status.

A `Fault` says what happened, why, and how to fix it. Shells translate foreign
exceptions into it at their door; nothing else reaches a user. Refusals of the gate
are values (`verdicts.Refused`), not faults.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final


@unique
class ErrorCode(StrEnum):
    """Stable identifiers that scripts and agents route on."""

    BAD_ARGUMENT = "bad_argument"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    NO_DATA = "no_data"
    AS_OF_BEFORE_DATA = "as_of_before_data"
    HISTORY_TOO_SHORT = "history_too_short"
    CORRUPT_DATA = "corrupt_data"
    STALE_DATA = "stale_data"
    BAD_AMOUNT = "bad_amount"
    UNKNOWN_CONFIG_KEY = "unknown_config_key"
    LOOSER_LIMIT = "looser_limit"
    BAD_CONFIG = "bad_config"
    MODE_MISMATCH = "mode_mismatch"
    CLOCK_BACK = "clock_back"
    CLOCK_AHEAD = "clock_ahead"
    WRONG_PASSPHRASE = "wrong_passphrase"  # noqa: S105 - the name of an error, not a secret
    KEY_MISSING = "key_missing"
    BAD_SIGNATURE = "bad_signature"
    BAD_APPROVAL = "bad_approval"
    UNKNOWN_DECISION = "unknown_decision"
    UNKNOWN_RECOMMENDATION = "unknown_recommendation"
    NOT_REPRODUCED = "not_reproduced"
    ILLEGAL_TRANSITION = "illegal_transition"
    JOURNAL_CONFLICT = "journal_conflict"
    JOURNAL_CORRUPT = "journal_corrupt"
    JOURNAL_UNREADABLE = "journal_unreadable"
    JOURNAL_UNAVAILABLE = "journal_unavailable"
    QUEUE_MISSING = "queue_missing"
    QUEUE_UNAVAILABLE = "queue_unavailable"
    RECEIPT_EXPIRED = "receipt_expired"
    DEAD_LETTER = "dead_letter"
    UNKNOWN_MESSAGE = "unknown_message"
    REDRIVE_REFUSED = "redrive_refused"
    PORT_BUSY = "port_busy"
    SERVICE_UNAVAILABLE = "service_unavailable"
    ALREADY_RUNNING = "already_running"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    MODEL_UNAVAILABLE = "model_unavailable"
    ANSWER_UNGROUNDED = "answer_ungrounded"
    FILL_EXCEEDS_ORDER = "fill_exceeds_order"
    VENUE_CONTRADICTED = "venue_contradicted"
    VENUE_REJECTED = "venue_rejected"
    VENUE_UNAVAILABLE = "venue_unavailable"
    OTHER_CODE = "other_code"
    TIME_LIMIT = "time_limit"
    STORAGE_FAILED = "storage_failed"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """What a code means for a script: exit status and whether trying again can help."""

    meaning: str
    exit_status: int
    is_retryable: bool = False


EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
EXIT_UNUSABLE: Final = 2
EXIT_UNREACHABLE: Final = 3

ERROR_KINDS: Final[dict[ErrorCode, ErrorKind]] = {
    ErrorCode.BAD_ARGUMENT: ErrorKind("an argument cannot be used as given", EXIT_UNUSABLE),
    ErrorCode.UNKNOWN_INSTRUMENT: ErrorKind("no such instrument is known here", EXIT_UNUSABLE),
    ErrorCode.NO_DATA: ErrorKind("the instrument has no bars", EXIT_UNUSABLE),
    ErrorCode.AS_OF_BEFORE_DATA: ErrorKind("the date lies before the first closed bar", EXIT_UNUSABLE),
    ErrorCode.HISTORY_TOO_SHORT: ErrorKind("too few closed bars to say anything", EXIT_REFUSED),
    ErrorCode.CORRUPT_DATA: ErrorKind("a data file or bar breaks its own rules", EXIT_UNUSABLE),
    ErrorCode.STALE_DATA: ErrorKind("the newest fact is older than allowed", EXIT_REFUSED, is_retryable=True),
    ErrorCode.BAD_AMOUNT: ErrorKind("an amount is not a positive, finite, sane number", EXIT_UNUSABLE),
    ErrorCode.UNKNOWN_CONFIG_KEY: ErrorKind("the configuration has a key nobody reads", EXIT_UNUSABLE),
    ErrorCode.LOOSER_LIMIT: ErrorKind("the configuration would loosen a hard limit", EXIT_UNUSABLE),
    ErrorCode.BAD_CONFIG: ErrorKind("the configuration cannot be read", EXIT_UNUSABLE),
    ErrorCode.CLOCK_BACK: ErrorKind(
        "the clock stands before what the journal already knows, or was set back",
        EXIT_REFUSED,
        is_retryable=True,
    ),
    ErrorCode.CLOCK_AHEAD: ErrorKind(
        "the clock was set further ahead than the time that passed", EXIT_REFUSED, is_retryable=True
    ),
    ErrorCode.MODE_MISMATCH: ErrorKind("replay, paper and live parts were mixed", EXIT_UNUSABLE),
    ErrorCode.WRONG_PASSPHRASE: ErrorKind("the keystore does not open with that passphrase", EXIT_UNUSABLE),
    ErrorCode.KEY_MISSING: ErrorKind("a key that this process needs does not exist", EXIT_UNUSABLE),
    ErrorCode.BAD_SIGNATURE: ErrorKind("a signature does not belong to the expected key", EXIT_REFUSED),
    ErrorCode.BAD_APPROVAL: ErrorKind("an approval does not fit the intent it names", EXIT_REFUSED),
    ErrorCode.UNKNOWN_DECISION: ErrorKind("the journal knows no such decision", EXIT_UNUSABLE),
    ErrorCode.UNKNOWN_RECOMMENDATION: ErrorKind("no such recommendation was recorded", EXIT_UNUSABLE),
    ErrorCode.NOT_REPRODUCED: ErrorKind("replaying a recommendation gave another result", EXIT_REFUSED),
    ErrorCode.ILLEGAL_TRANSITION: ErrorKind("the state does not allow this event", EXIT_REFUSED),
    ErrorCode.JOURNAL_CONFLICT: ErrorKind("another process wrote first", EXIT_UNREACHABLE, is_retryable=True),
    ErrorCode.JOURNAL_CORRUPT: ErrorKind("the journal's hash chain is broken", EXIT_REFUSED),
    ErrorCode.JOURNAL_UNREADABLE: ErrorKind("the journal cannot be opened", EXIT_UNUSABLE),
    ErrorCode.JOURNAL_UNAVAILABLE: ErrorKind(
        "the journal's database does not answer", EXIT_UNREACHABLE, is_retryable=True
    ),
    ErrorCode.QUEUE_MISSING: ErrorKind("the order queue does not exist", EXIT_UNREACHABLE),
    ErrorCode.QUEUE_UNAVAILABLE: ErrorKind(
        "the order queue does not answer", EXIT_UNREACHABLE, is_retryable=True
    ),
    ErrorCode.RECEIPT_EXPIRED: ErrorKind("the message is no longer held by this receiver", EXIT_REFUSED),
    ErrorCode.DEAD_LETTER: ErrorKind("the queue set a message aside; its group is halted", EXIT_REFUSED),
    ErrorCode.UNKNOWN_MESSAGE: ErrorKind("no such dead letter waits for an answer", EXIT_UNUSABLE),
    ErrorCode.REDRIVE_REFUSED: ErrorKind("a dead letter's decision may not be sealed anew", EXIT_REFUSED),
    ErrorCode.PORT_BUSY: ErrorKind("another program listens on that port", EXIT_UNREACHABLE),
    ErrorCode.SERVICE_UNAVAILABLE: ErrorKind(
        "a local service does not answer", EXIT_UNREACHABLE, is_retryable=True
    ),
    ErrorCode.ALREADY_RUNNING: ErrorKind("the services of this home are already up", EXIT_UNREACHABLE),
    ErrorCode.UNAUTHENTICATED: ErrorKind("the caller's token is missing or wrong", EXIT_UNREACHABLE),
    ErrorCode.FORBIDDEN: ErrorKind("the caller is known but may not do that", EXIT_REFUSED),
    ErrorCode.RATE_LIMITED: ErrorKind("too many calls", EXIT_UNREACHABLE, is_retryable=True),
    ErrorCode.OVERLOADED: ErrorKind(
        "more calls wait at once than are let in", EXIT_UNREACHABLE, is_retryable=True
    ),
    ErrorCode.MODEL_UNAVAILABLE: ErrorKind(
        "the language model does not answer", EXIT_UNREACHABLE, is_retryable=True
    ),
    ErrorCode.ANSWER_UNGROUNDED: ErrorKind("the model's answer held a number without evidence", EXIT_REFUSED),
    ErrorCode.FILL_EXCEEDS_ORDER: ErrorKind("the venue reports more than was authorised", EXIT_REFUSED),
    ErrorCode.VENUE_CONTRADICTED: ErrorKind(
        "what the venue says of an order cannot all be true", EXIT_REFUSED
    ),
    ErrorCode.VENUE_REJECTED: ErrorKind("the venue refused the order", EXIT_REFUSED),
    ErrorCode.VENUE_UNAVAILABLE: ErrorKind("the venue does not answer", EXIT_UNREACHABLE, is_retryable=True),
    ErrorCode.OTHER_CODE: ErrorKind("a worker runs other code than this program", EXIT_UNREACHABLE),
    ErrorCode.TIME_LIMIT: ErrorKind("the work takes longer than one call may", EXIT_REFUSED),
    ErrorCode.STORAGE_FAILED: ErrorKind("local storage failed", EXIT_UNREACHABLE),
    ErrorCode.INTERNAL: ErrorKind("a defect of this program", EXIT_UNREACHABLE),
}


class Fault(Exception):  # noqa: N818 - "error" is the JSON object it becomes
    """Something could not be done: what and why (`message`), how to fix it (`fix`).

    `message` and `fix` are shown to users, so they never hold a secret, personal data
    or a traceback.
    """

    def __init__(self, code: ErrorCode, message: str, *, fix: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        """Let a fault travel between the processes of one run."""
        return functools.partial(Fault, fix=self.fix), (self.code, self.message)

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed later without any change."""
        return ERROR_KINDS[self.code].is_retryable

    @property
    def exit_status(self) -> int:
        """Exit status of a command that ends with this fault: 1, 2 or 3."""
        return ERROR_KINDS[self.code].exit_status

    def as_json(self) -> dict[str, str | bool]:
        """Return the `error` object of the command line's JSON output."""
        return {
            "code": self.code.value,
            "message": self.message,
            "fix": self.fix,
            "retryable": self.is_retryable,
        }
