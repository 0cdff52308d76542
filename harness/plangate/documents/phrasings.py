"""The lines of a phrasing file: how a person or an attacker words a request."""

from __future__ import annotations

from typing import Final

from plangate.documents.text import read_text
from plangate.errors import InputError, Problem

__all__ = ["BYTES_MAX", "read_phrasings"]

BYTES_MAX: Final = 4 * 1024 * 1024
LINES_MAX: Final = 100_000
LINE_CHARACTERS_MAX: Final = 4_000


def read_phrasings(data: bytes, *, path: str) -> tuple[str, ...]:
    """One phrasing a line, without surrounding blanks; empty lines and lines that begin with `#` are skipped.

    Raises InputError with every problem: not text, too large, too many or too long lines, a line twice, no line at all.
    """
    text, problems, readable = read_text(data, path=path, bytes_max=BYTES_MAX, tabs_allowed=True)
    if not readable:
        raise InputError.of(problems)
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if complaint := _complaint(words, found):
            problems.append(_problem(path, number, *complaint))
        found.setdefault(words, number)
        if len(found) > LINES_MAX:
            problems.append(_problem(path, number, "too-many", f"has more than {LINES_MAX:,} phrasings", "split it"))
            break
    if not found:
        problems.append(_problem(path, 1, "empty-document", "holds no phrasing", "write one phrasing a line"))
    if problems:
        raise InputError.of(problems)
    return tuple(found)


def _complaint(words: str, found: dict[str, int]) -> tuple[str, str, str] | None:
    if len(words) > LINE_CHARACTERS_MAX:
        return "too-long", f"the line is longer than {LINE_CHARACTERS_MAX:,} characters", "shorten it"
    if words in found:
        return "duplicate-item", f"the same phrasing stands in line {found[words]}", "keep one of the two"
    return None


def _problem(path: str, line: int, code: str, message: str, hint: str) -> Problem:
    return Problem(path=path, line=line, column=1, code=code, message=message, hint=hint)
