"""Takes secrets out of every text that came from a target, before anything keeps or prints it (rule R9)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from plangate.drivers.secret_forms import forms

__all__ = ["DETAIL_CHARS_MAX", "Redactor", "redact"]

DETAIL_CHARS_MAX: Final = 2_000
"""Characters of a redacted text at the most; what is longer ends in an ellipsis."""

_MARK: Final = "[redacted]"
_PASSES_MAX: Final = 10_000

# What looks like a credential although nobody told us its value. The scheme or the name stays, for the reader.
_CREDENTIALS: Final = (
    r"(?i:(?P<scheme>\b(?:bearer|basic|negotiate|digest|token)[ \t]+)(?=[\w+/.~=-]{8})[\w+/.~=:-]+)",
    r"\beyJ[\w-]{8,}\.[\w-]{4,}\.?[\w-]*",  # a JWT
    r"\b(?:sk|pk|rk|ghp|gho|ghs|xox[abp])[-_][\w-]{16,}",  # keys with a well-known prefix
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.|\n)*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    r"(?i:(?P<name>\b(?:api[_-]?key|access[_-]?token|refresh[_-]?token|client[_-]?secret|password|passwd)"
    r"[\"']?[ \t]*[:=][ \t]*[\"']?)[^\s\"',;&}]{4,})",
    r"(?i:(?P<userinfo>\b[a-z][a-z0-9+.-]*://)[^\s/@:]+:[^\s/@]+(?=@))",  # https://user:password@host
)


class Redactor:
    """Replaces the given secrets, in the forms they travel in, and whatever looks like a credential.

    Forms: plain, escaped as in JSON and `repr`, percent-encoded, hexadecimal, base64 (also inside a longer base64
    text), each line of a secret of many lines, and the members of a secret that is a document (`secret_forms`). Total:
    never raises.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {form for secret in secrets if secret for form in forms(secret)}
        self._longest = max(map(len, found), default=0)
        self._pattern = _pattern(sorted(found))

    def __call__(self, text: str) -> str:
        """`text` without secrets, at most `DETAIL_CHARS_MAX` characters."""
        return self.text(text, chars_max=DETAIL_CHARS_MAX)

    def text(self, text: str, *, chars_max: int) -> str:
        """`text` without secrets, at most `chars_max` characters. Work is bounded by that, not by the text."""
        out: list[str] = []
        room, start = chars_max, 0
        for _ in range(_PASSES_MAX):
            if room <= 0 or start >= len(text):
                break
            # Whatever begins within the room ends within the window, so a cut never leaves half a secret behind.
            window = min(len(text), start + room + max(self._longest, 256))
            found = self._pattern.search(text, start, window)
            if found is None:
                out.append(text[start : start + room])
                start += room
                break
            found = self._pattern.match(text, found.start()) or found  # a credential may go on beyond the window
            kept = found["scheme"] or found["name"] or found["userinfo"] or ""
            piece = text[start : found.start()] + kept + _MARK
            out.append(piece)
            room -= len(piece)
            start = found.end()
        whole = "".join(out)
        if start < len(text) or len(whole) > chars_max:
            return whole[: chars_max - 3] + "..."
        return whole


def redact(text: str, secrets: Mapping[str, str] | Iterable[str]) -> str:
    """`text` without the values of `secrets`, at most `DETAIL_CHARS_MAX` characters. Total: never raises."""
    values = secrets.values() if isinstance(secrets, Mapping) else secrets
    return _redactor(frozenset(values))(text)


@functools.lru_cache(maxsize=16)
def _redactor(secrets: frozenset[str]) -> Redactor:
    return Redactor(secrets)


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    try:
        return re.compile("|".join([*_tree(words), *_CREDENTIALS]))
    except RecursionError:  # hundreds of words, each the beginning of the next
        longest_first = sorted(words, key=len, reverse=True)
        return re.compile("|".join([*map(re.escape, longest_first), *_CREDENTIALS]))


def _tree(words: Sequence[str]) -> list[str]:
    """Patterns of the longest of `words` that stands at a place, shared beginnings written once.

    So a secret of hundreds of members costs a search little more than one of few. `words` are sorted, none is empty.
    """
    patterns = []
    for _, group in groupby(words, key=lambda word: word[0]):
        alike = list(group)
        shared = _beginning(alike[0], alike[-1])
        longer = [word[len(shared) :] for word in alike if word != shared]
        pattern = re.escape(shared)
        if longer:
            pattern += f"(?:{'|'.join(_tree(longer))})" + ("?" if len(longer) < len(alike) else "")
        patterns.append(pattern)
    return patterns


def _beginning(first: str, last: str) -> str:
    """What the first and the last of sorted words have in common at their beginning: so have all between."""
    for number, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            return first[:number]
    return min(first, last, key=len)
