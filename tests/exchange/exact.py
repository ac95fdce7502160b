"""JSON in which a Decimal is a number with all of its digits, trailing zeros too, as venues write it."""

from __future__ import annotations

import json
import re
from decimal import Decimal

MARK = "\ue000"
MARKED = re.compile(r'"\\ue000([-0-9.]+)"')


def exact_json(message: object) -> str:
    """Return a message as text; TypeError for what is neither JSON nor a Decimal."""
    return MARKED.sub(r"\1", json.dumps(message, default=_marked))


def _marked(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} is not JSON")
    return f"{MARK}{value:f}"
