"""Texts from outside (apps, manifests, bundles), made harmless for terminals, CI systems, XML and tables."""

from __future__ import annotations

import re
import unicodedata

from plangate.line_guard import inert

__all__ = ["clean", "columns", "encodable", "fit", "shape"]

# C0 and C1 controls, and the characters that reorder or hide what stands beside them.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(r"\s+")
_HEX = re.compile(r"-?\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b", re.IGNORECASE)
_DIGITS = re.compile(r"-?\d+")


def clean(text: str, *, length_max: int = 2_000) -> str:
    """`text` in one line without control characters or commands of a CI system, at most `length_max` characters.

    Total: never raises.
    """
    visible = _LONE_SURROGATE.sub("\ufffd", _CONTROL.sub("\ufffd", text[: length_max * 2]))
    harmless = inert(_BLANKS.sub(" ", visible).strip())
    return harmless if len(harmless) <= length_max else harmless[: length_max - 1] + "…"


def encodable(text: str) -> str:
    """`text` unchanged but for half characters (`\\ud800` in an app's JSON), which no file can hold."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def shape(text: str) -> str:
    """`text` without what changes from answer to answer (numbers, identifiers), so that like texts compare equal."""
    return _DIGITS.sub("#", _HEX.sub("#", clean(text, length_max=160)))


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    return sum(_character_columns(character) for character in text)


def _character_columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, width: int) -> str:
    """`text` in at most `width` columns, with an ellipsis where it was cut."""
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _character_columns(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"
