"""Malformed things, from a seed: text that is nearly an envelope, and arguments no tool may take."""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Callable
from typing import Any

JUNK: tuple[Any, ...] = (
    None, True, [], {}, "", " ", "null", "NaN", "Infinity", "-Infinity", "1e999", "-1", "0", "00", "1,5",
    "0x10", "١٢", "1_000", "\u0000", "\ud800", "🙂" * 50, "x" * 5000, -1, 0, 1.5, 1e308, 10**400,
    float("nan"), float("inf"), [[[[[[]]]]]], {"$ref": "#"}, {"kind": "order"}, "'; DROP TABLE events; --",
    "../../etc/passwd", "${jndi:x}", "{{7*7}}", "<script>", "2018-13-45", "d-" + "0" * 24, "0" * 64,
)  # fmt: skip
"""Values of every wrong kind."""
MOST_DEPTH = 100
TEXTS = tuple(item for item in JUNK if isinstance(item, str))


def bent_document(text: str, dice: random.Random) -> str:
    """Return `text`, a JSON object, spoilt in one to three places."""
    ways: tuple[Callable[[str, random.Random], str], ...] = (
        _cut, _flipped, _doubled, _field_changed, _field_changed, _field_gone, _field_added, _nested, _noise,
    )  # fmt: skip
    for _ in range(dice.randint(1, 3)):
        text = dice.choice(ways)(text, dice)
    return text


def _cut(text: str, dice: random.Random) -> str:
    return text[: dice.randrange(len(text) + 1)]


def _flipped(text: str, dice: random.Random) -> str:
    if not text:
        return "\x00"
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(string.printable + "\x00\ud800é") + text[at + 1 :]


def _doubled(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + text[max(0, at - dice.randint(1, 60)) :]


def _noise(_text: str, dice: random.Random) -> str:
    return "".join(dice.choice(string.printable) for _ in range(dice.randint(0, 200)))


def _nested(text: str, dice: random.Random) -> str:
    depth = dice.choice((10, 1000, 100_000))
    return '{"content":' * depth if dice.random() < 0.5 else "[" * depth + text + "]" * depth


def _field_changed(text: str, dice: random.Random) -> str:
    return _edited(text, dice, lambda place, key: place.__setitem__(key, dice.choice(JUNK)))


def _field_gone(text: str, dice: random.Random) -> str:
    return _edited(text, dice, lambda place, key: place.pop(key))


def _field_added(text: str, dice: random.Random) -> str:
    return _edited(text, dice, lambda place, _key: place.__setitem__("bypass", dice.choice(JUNK)))


def _edited(text: str, dice: random.Random, edit: Callable[[dict[str, Any], str], Any]) -> str:
    if max(text.count("["), text.count("{")) > MOST_DEPTH:
        return _flipped(text, dice)
    try:
        document = json.loads(text)
    except ValueError:
        return _flipped(text, dice)
    places = list(_objects(document))
    if not places:
        return _flipped(text, dice)
    place = dice.choice(places)
    edit(place, dice.choice(sorted(place)))
    return json.dumps(document)


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        return []
    inner = [found for item in value.values() for found in _objects(item)]
    return ([value] if value else []) + inner


def _is_request_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9._:-]{1,80}", value) is not None


WRONG: dict[str, tuple[Any, ...]] = {
    "instrument": (*TEXTS, None, 5, [], "spx", "SPX ", "SPX\n", "DOGE/USDT", "SPX|paper"),
    "side": (*JUNK, "BUY", "hold", "long"),
    "notional_usd": (
        None, True, [], {}, "", "NaN", "-NaN", "sNaN", "Infinity", "-5", "0", "1e999", "1E+30", "0x10",
        "1" * 41, "1" * 40, "5000000", "99999999999999999999", "1.5.5", "--5", "\u0000", "five",
    ),
    "limit_price_usd": (
        True, [], {}, "", "NaN", "Infinity", "-1", "0", "1e-30", "1e30", "abc", "1" * 41, "0.0000001",
    ),
    "recommendation_id": (True, [], {}, "x" * 41, "r-unknown", "\u0000", "'; --"),
    "request_id": (*(item for item in JUNK if not _is_request_id(item)), "a b", "é", "x" * 81, "\n", "a\n"),
}  # fmt: skip
"""For each argument of `propose_order`, values that must never lead to a sealed order."""


def bent_arguments(dice: random.Random) -> dict[str, Any]:
    """Return arguments of `propose_order` of which one to four are wrong, missing or unheard of."""
    given: dict[str, Any] = {
        "instrument": "SPX",
        "side": "buy",
        "notional_usd": "5000",
        "request_id": f"r-{dice.randrange(10**12)}",
    }
    for name in dice.sample(sorted(WRONG), k=dice.randint(1, 4)):
        given[name] = dice.choice(WRONG[name])
    if dice.random() < 0.1:
        given.pop(dice.choice(sorted(given)))
        given["notional_usd"] = "-1"
    if dice.random() < 0.1:
        given[dice.choice(("quantity", "bypass", "dry_run", "caller", "approved"))] = dice.choice(JUNK)
    return given
