"""Text that came from outside, marked so that a model reads it as data, never as orders.

Names in imported files, words of a proposer, messages of a venue: none of them is ours.
The mark cannot be forged from inside, because its brackets are taken out of the text.
"""

from __future__ import annotations

import unicodedata
from typing import Final

OPENING: Final = "⟦untrusted⟧"
CLOSING: Final = "⟦/untrusted⟧"
LONGEST: Final = 200
"""Characters kept of one outside text."""
_ELLIPSIS: Final = "…"
# Controls, invisible formatting (bidirectional overrides, zero-width), surrogates,
# private use, and line or paragraph separators.
_REMOVED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BRACKETS: Final = str.maketrans({"⟦": "[", "⟧": "]"})


def plain_text(text: str, *, longest: int = LONGEST) -> str:
    """Return `text` on one line without invisible characters, at most `longest` long."""
    # Cut before and after: a megabyte of text must not be looked at character by character.
    head = text[: 4 * longest].translate(_BRACKETS)
    visible = "".join(" " if _is_removed(character) else character for character in head)
    joined = " ".join(visible.split())
    return joined if len(joined) <= longest else joined[: longest - 1] + _ELLIPSIS


def untrusted(text: str, *, longest: int = LONGEST) -> str:
    """Return `text` between the untrusted marks; empty text stays empty."""
    shown = plain_text(text, longest=longest)
    return f"{OPENING}{shown}{CLOSING}" if shown else ""


def _is_removed(character: str) -> bool:
    return unicodedata.category(character) in _REMOVED
