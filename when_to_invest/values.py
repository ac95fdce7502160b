"""The shape of every value that crosses a process: frozen, strict, nothing extra."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum, unique
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
)
from pydantic_core import core_schema

from when_to_invest.canonical import plain_canonical_bytes, utc_text


class Value(BaseModel):
    """Base of values that travel: equal when their content is equal, hashable by content."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    CARRIES: ClassVar[str | None] = None
    """The field whose value's own bytes are put in as they are, instead of being written again."""

    def canonical(self) -> bytes:
        """Return the one byte form that is journalled, queued and signed."""
        if self.CARRIES is None:
            return plain_canonical_bytes(self.model_dump(mode="json"))
        plain = self.model_dump(mode="json", exclude={self.CARRIES})
        return _written_around(self.CARRIES, getattr(self, self.CARRIES).canonical(), plain)

    def digest(self) -> str:
        """Return the SHA-256 of the canonical form, 64 hex digits."""
        return hashlib.sha256(self.canonical()).hexdigest()


def _written_around(carried: str, written: bytes, plain: dict[str, Any]) -> bytes:
    """Return the one byte form of `plain` with one more field; keys are sorted, so it has its place."""
    before = plain_canonical_bytes({key: item for key, item in plain.items() if key < carried})
    after = plain_canonical_bytes({key: item for key, item in plain.items() if key > carried})
    parts = (before[1:-1], b'"%b":%b' % (carried.encode(), written), after[1:-1])
    return b"{%b}" % b",".join(filter(None, parts))


_FIRST_YEAR: Final = 1900
_END_YEAR: Final = 9000
"""Whatever window is added to an instant or taken from it, the sum is an instant too."""


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("a datetime without a time zone names no instant")
    if not _FIRST_YEAR <= instant.year < _END_YEAR:
        raise ValueError(f"an instant lies between the years {_FIRST_YEAR} and {_END_YEAR}")
    return instant.astimezone(UTC)


_TEXT: Final = TypeAdapter(datetime, config=ConfigDict(strict=True)).validator


_is_ours: Final = re.compile(
    r"(?:19|[2-8][0-9])[0-9]{2}-[01][0-9]-[0-3][0-9]T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:\.[0-9]{6})?Z"
).fullmatch
"""Whether an instant is written as `utc_text` writes it; whether there is such a day is still to be seen."""


@lru_cache(maxsize=4_096)
def _instant_of(text: str) -> datetime:
    """Parse what JSON says; events of one moment come together when a journal is read."""
    if _is_ours(text):
        with suppress(ValueError):
            return datetime.fromisoformat(text)
    return _in_utc(_TEXT.validate_json(json.dumps(text)))


def _from_json(value: object) -> datetime:
    return _instant_of(value) if type(value) is str else _in_utc(_TEXT.validate_json(json.dumps(value)))


class _QuickInstant:
    """Lets an instant's text be parsed once where it comes as JSON; what is accepted is the same."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[datetime], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_plain_validator_function(_from_json),
            python_schema=core_schema.no_info_after_validator_function(_in_utc, handler(source)),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return handler(schema if handler.mode == "serialization" else core_schema.datetime_schema())


Instant = Annotated[datetime, _QuickInstant, PlainSerializer(utc_text, return_type=str)]
"""An aware datetime, held and written in UTC."""
DecisionId = Annotated[str, StringConstraints(pattern=r"^d-[0-9a-f]{24}$")]
"""One proposal's identity from the gate to the last fill."""
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Address = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$")]
Signature = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-f]{130}$")]
"""65 bytes r ‖ s ‖ v of a secp256k1 signature."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
"""Lower-case identifier of a venue, account, caller or approver."""


@unique
class Mode(StrEnum):
    """How real it is. Part of every intent, envelope and event; never mixed.

    `REPLAY`: recorded data on a replay clock, paper venue. `PAPER`: the wall clock, paper
    venue. `LIVE`: the wall clock and real money.
    """

    REPLAY = "replay"
    PAPER = "paper"
    LIVE = "live"
