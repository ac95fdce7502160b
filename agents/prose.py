"""Prose brought to one plain form before its numbers are read: what a reader would see.

Stage: report (LLM shell, pure). Markup inside a number, invisible characters and digits of
other scripts must not hide a figure from the guard.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_TAG: Final = re.compile(r"<[^<>]{0,200}>")
_EMPHASIS: Final = re.compile(r"[*`]|~~")
_JOINED_BY_UNDERSCORE: Final = re.compile(r"(?<=\d)_+(?=\d)")
_THIN_GROUPS: Final = re.compile("(?<=\\d)[\u00a0\u2009\u202f](?=\\d{3}(?!\\d))")
_PLAIN: Final = str.maketrans(
    {
        "\u2212": "-",
        "\u2013": "-",
        "\u2012": "-",
        "\u2011": "-",
        "\u2010": "-",
        "\ufe63": "-",
        "\uff0d": "-",
        "\uff0b": "+",
        "\u066b": ".",
        "\u066c": ",",
        "\uff0e": ".",
        "\uff0c": ",",
        "\u2019": "'",
        "\u066a": "%",
        "\uff05": "%",
        "\ufe6a": "%",
        "\uff04": "$",
        "\ufe69": "$",
        "\uff0f": "/",
        "\u2044": "/",
        "\u2215": "/",
    }
)


def odd_numerals(text: str) -> tuple[str, ...]:
    """Return characters that mean a number without being a decimal digit: ², ½, Ⅳ, ①, ‰."""
    seen = html.unescape(text)
    return tuple(
        dict.fromkeys(c for c in seen if unicodedata.category(c) in {"No", "Nl"} or c in "\u2030\u2031")
    )


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category in {"Cf", "Mn", "Me"}:
        return ""
    return unicodedata.normalize("NFKC", character) if category in {"Ll", "Lu"} else character


def normalised(text: str) -> str:
    """Return `text` without markup and invisible characters, with ASCII digits and signs."""
    shown = _EMPHASIS.sub("", _TAG.sub("", html.unescape(text)))
    shown = "".join(_visible(character) for character in shown).translate(_PLAIN)
    shown = _JOINED_BY_UNDERSCORE.sub("", _THIN_GROUPS.sub(",", shown))
    return re.sub("[\u00a0\u2000-\u200a\u202f\u3000\t]", " ", shown)
