"""Lines that no terminal and no CI system obeys, whoever wrote the text in them (rule P12).

a command of a CI system     `##vso[`, `##[` and `##teamcity[` anywhere, `::` first on a line, blanks or not before it
a control character          escape sequences, C0 and C1 but for line ends and tabs, line separators
a mark that reorders text    U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

__all__ = ["LineGuard", "drawing", "inert", "inert_json", "visible"]

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_DRAWN = re.compile(f"(\x1b\\[[0-9;?]*[A-Za-z]|\r)|[{_CONTROLS}]")
_COMMAND = re.compile(r"#(?=#[A-Za-z0-9._-]*\[)")
_LEADING = re.compile(r"\s*:(?=:)")
_SUSPECT = re.compile(f"[{_CONTROLS}]|##|::")
_REMEMBERED = 64
"""More of a line than the longest mark has letters."""


def inert(text: str) -> str:
    """`text` with the marks of CI commands broken by a blank, as a line of its own would need it."""
    if "##" not in text and "::" not in text:
        return text
    broken = _COMMAND.sub("# ", text)
    leading = _LEADING.match(broken)
    return f"{broken[: leading.end()]} {broken[leading.end() :]}" if leading else broken


def visible(text: str) -> str:
    """`text` without control characters, but for line ends and tabs."""
    return _CONTROL.sub("\ufffd", text)


def inert_json(text: str) -> str:
    """JSON text with the same meaning in which nothing is live: what would be is written as `\\u0023`."""
    if _SUSPECT.search(text) is None:
        return text
    unmarked = _COMMAND.sub(r"\\u0023", text)
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", unmarked)


class LineGuard:
    """Makes text inert that comes piece by piece: a mark may come in two pieces, a line in many."""

    def __init__(self) -> None:
        self.draws = False
        """Whether plangate itself colours or redraws lines on a terminal: then such sequences pass."""
        self._before = ""
        self._whole = True
        """Whether `_before` is all of the line so far, but for blanks."""

    def __call__(self, text: str) -> str:
        """`text` as it may be written."""
        if _SUSPECT.search(text) is None and "#" not in self._before and ":" not in self._before:
            self._remember(text)
            return text
        pattern = _DRAWN if self.draws else _CONTROL
        uncontrolled = pattern.sub(lambda found: (self.draws and found.group(1)) or "\ufffd", text)
        first, *others = uncontrolled.split("\n")
        made = [self._guarded(first)]
        for line in others:
            self._before, self._whole = "", True
            made.append(self._guarded(line))
        return "\n".join(made)

    def _guarded(self, piece: str) -> str:
        """More of the present line."""
        held = len(self._before)
        joined = self._before + piece
        cuts = {max(held, found.end()) for found in _COMMAND.finditer(joined)}
        leading = _LEADING.match(joined) if self._whole else None
        if leading is not None:
            cuts.add(max(held, leading.end()))
        for cut in sorted(cuts, reverse=True):
            piece = f"{piece[: cut - held]} {piece[cut - held :]}"
        self._remember(piece)
        return piece

    def _remember(self, text: str) -> None:
        line_end = text.rfind("\n")
        if line_end >= 0:
            self._before, self._whole = "", True
        line = self._before + text[line_end + 1 :]
        if self._whole:
            line = line.lstrip()
        self._whole = self._whole and len(line) <= _REMEMBERED
        self._before = line[-_REMEMBERED:]


@contextmanager
def drawing(stream: TextIO) -> Iterator[None]:
    """plangate's own colours and redrawn lines pass on `stream` meanwhile; texts in them must be clean."""
    guard = getattr(stream, "guard", None)
    if guard is None:
        yield
        return
    guard.draws = True
    try:
        yield
    finally:
        guard.draws = False
