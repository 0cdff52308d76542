"""How a message names what it found: quoted, cut, harmless on a terminal, with the nearest known word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

__all__ = ["did_you_mean", "dotted", "listed", "shown"]

_CANDIDATES_MAX = 2_000


def shown(value: object, *, characters_max: int = 60) -> str:
    """`value` as a message shows it: in quotes, without control characters, cut at `characters_max`. Total."""
    if isinstance(value, str):
        return "'" + _printable(value, characters_max) + "'"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return _printable(str(value), characters_max)


def listed(words: Iterable[str], *, words_max: int = 12) -> str:
    """`a, b, c` in the order given, cut after `words_max`."""
    names = list(islice(words, words_max + 1))
    rest = ", ..." if len(names) > words_max else ""
    return ", ".join(_printable(name, 60) for name in names[:words_max]) + rest


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'messages'?`, or the empty string where nothing known is near. Bounded: looks at 2,000 names."""
    candidates = list(islice(known, _CANDIDATES_MAX))
    folded = {candidate.casefold(): candidate for candidate in candidates}
    found = get_close_matches(word[:200].casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean {shown(folded[found[0]])}?" if found else ""


def _printable(text: str, characters_max: int) -> str:
    cut = text if len(text) <= characters_max else text[: characters_max - 3] + "..."
    if cut.isprintable():
        return cut
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in cut)


def dotted(pointer: Iterable[str | int]) -> str:
    """`plans.pro.grants[0]`: a place inside a document as people say it; empty for the document itself."""
    text = ""
    for step in pointer:
        text += f"[{step}]" if isinstance(step, int) else f".{_printable(step, 100)}"
    return text.removeprefix(".")
