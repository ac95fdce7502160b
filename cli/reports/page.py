"""One page in one file: headline, figures, pictures. It asks for nothing over a network."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #22262b;
  background: #f6f7f9; margin: 0; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 40px 0 8px; }
p.lead { color: #5c636d; margin: 0 0 24px; }
figure, section.card { background: #fff; border: 1px solid #e4e7eb; border-radius: 10px; margin: 0 0 20px;
  padding: 18px; overflow-x: auto; }
figure img { width: 100%; height: auto; display: block; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: #5c636d; font-weight: 500; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid #eef0f3; }
td.number, th.number { text-align: right; } td.indent { padding-left: 1.4em; }
tr:last-child td { border-bottom: 0; }
.met { color: #00795a; font-weight: 600; } .missed { color: #b84a00; font-weight: 600; }
ul { color: #5c636d; padding-left: 20px; } footer { color: #5c636d; font-size: 14px; margin-top: 32px; }
@media (prefers-color-scheme: dark) {
  body { background: #14171a; color: #e3e6ea; }
  figure, section.card { background: #1d2126; border-color: #333a42; }
  figure img { filter: invert(0.885) hue-rotate(180deg); }
  p.lead, th, ul, footer { color: #a3abb5; } th, td { border-color: #2c3239; }
  .met { color: #3fc79a; } .missed { color: #ff9a5c; }
}
@media print { body { background: #fff; } figure, section.card { break-inside: avoid; } }
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG and what it shows, in words for those who cannot see it."""

    png: bytes
    words: str


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table: the first column names its row, further cells that are numbers stand right."""
    body = [list(row) for row in rows]
    right = [bool(column) and any(_is_number(row[column]) for row in body) for column in range(len(head))]
    top = "".join(
        f"<th class='number'>{escape(name)}</th>" if is_right else f"<th>{escape(name)}</th>"
        for name, is_right in zip(head, right, strict=True)
    )
    lines = "".join(f"<tr>{_label(row[0])}{''.join(_cell(cell) for cell in row[1:])}</tr>" for row in body)
    return (
        f"<section class='card'><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></section>"
    )


def _label(text: str) -> str:
    """Return the cell that names a row; spaces before it indent it."""
    kind = " class='indent'" if text.startswith(" ") else ""
    return f"<td{kind}>{escape(text.strip())}</td>"


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or (text[:1] in "+-" and text[1:2].isdigit())


def _cell(text: str) -> str:
    kinds = {"met": "met", "missed": "missed"}
    name = "number" if _is_number(text) else kinds.get(text, "")
    return f"<td class='{name}'>{escape(text)}</td>" if name else f"<td>{escape(text)}</td>"


def picture(shown: Picture) -> str:
    """Return a picture as part of the page itself."""
    inline = base64.b64encode(shown.png).decode("ascii")
    return (
        f"<figure><img alt='{escape(shown.words, quote=True)}' src='data:image/png;base64,{inline}'></figure>"
    )


def notes(lines: Iterable[str]) -> str:
    """Return remarks as a list; nothing when there are none."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>Remarks</h2><ul>{items}</ul>" if items else ""


def heading(text: str) -> str:
    """Return a heading between parts."""
    return f"<h2>{escape(text)}</h2>"


def page(title: str, *, lead: str, parts: Iterable[str], foot: str) -> str:
    """Return the whole page."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1><p class='lead'>{escape(lead)}</p>{''.join(parts)}"
        f"<footer>{escape(foot)}</footer></main></body></html>\n"
    )
