"""Takes secrets out of every text that came from a target, before anything keeps or prints it (rule R9)."""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["DETAIL_CHARS_MAX", "Redactor", "redact"]

DETAIL_CHARS_MAX: Final = 2_000
"""Characters of a redacted text at the most; what is longer ends in an ellipsis."""

_MARK: Final = "[redacted]"
_PART_CHARS_MIN: Final = 6
"""Encoded forms and single lines of a secret below this length would hit innocent text."""
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
    text), and each line of a secret of many lines. Total: never raises.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._longest = max(map(len, forms), default=0)
        self._pattern = re.compile("|".join([*map(re.escape, longest_first), *_CREDENTIALS]))

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


def _forms(secret: str) -> set[str]:
    whole = {secret, secret.strip()}
    lines = {line.strip() for line in secret.splitlines() if len(line.strip()) >= _PART_CHARS_MIN}
    derived: set[str] = set()
    for text in whole | lines:
        raw = text.encode("utf-8", "surrogatepass")
        derived |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
        derived |= {raw.hex(), raw.hex().upper(), *_base64_cores(raw)}
        for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
            derived |= {encoded, re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), encoded)}
    return {form for form in whole if form} | {form for form in derived | lines if len(form) >= _PART_CHARS_MIN}


def _base64_cores(raw: bytes) -> set[str]:
    """What `raw` looks like inside any base64 text that holds it, whichever of the three alignments it has there."""
    cores = set()
    for before in range(3):
        padded = bytes(before) + raw
        whole = base64.b64encode(padded[: len(padded) // 3 * 3]).decode()
        core = whole[(before * 8 + 5) // 6 :]
        cores |= {core, core.replace("+", "-").replace("/", "_")}
    full = base64.b64encode(raw).decode().rstrip("=")
    return cores | {full, full.replace("+", "-").replace("/", "_")}
