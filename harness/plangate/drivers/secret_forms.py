"""The texts in which a secret may show: whole, by its members, and each in the encodings that texts travel in.

A secret is often a document of its own: JSON (a service account), lines of `key: value` or `key=value` (an env file, a
connection string), PEM (a key), an address with a password. Its members are secrets like the whole, except those that
say nothing (`"type": "service_account"`, `"port": 5432`): to blot out every plain word would make reports unreadable.

| a member is a secret | when |
|---|---|
| by its name (`password`, `client_secret`, `private_key`, `AccountKey`, ...) | from 4 characters |
| by its value | from 8 characters; not words joined by `_`, `-`, `.`, not a date, a mail or a web address |
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote

from plangate.documents.secret_texts import is_secret_name

__all__ = ["NAMED_CHARS_MIN", "forms", "members"]

MEMBERS_MAX: Final = 256
"""Members of one secret that are looked for; what a secret of more members tells beyond them is not."""
NAMED_CHARS_MIN: Final = 4
UNNAMED_CHARS_MIN: Final = 8
_ENCODED_CHARS_MIN: Final = 6
"""Encoded forms and single lines of a secret below this length would hit innocent text."""
_DEPTH_MAX: Final = 16
_WORD_CHARS_MAX: Final = 15

_PAIR: Final = re.compile(r"\s*(?:export\s+)?[\"']?(?P<name>[\w.-]{1,100})[\"']?\s*[:=]\s*(?P<value>\S.*)")
_SEVERAL: Final = re.compile(r"[;&]\s*(?=[\w .-]{1,60}=)")
_PASSWORD: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/@:]*:(?P<password>[^\s/@]+)@", re.IGNORECASE)
_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]+-----(?P<body>.*?)-----END [A-Z0-9 ]+-----", re.DOTALL)
_NAMED: Final = re.compile(
    r"(?:^|[_.\s-])(?:pass|pw|pwd|pin|sig|signature|sas)$"
    r"|(?:account|api|access|client|private|secret|shared)[_\s-]?key$|secret|passw|token|credential",
    re.IGNORECASE,
)
_NOT_NAMED: Final = re.compile(r"(?:uri|url|id|type|name|endpoint|expiry|expires(?:_?in|_?at)?)$", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s@?#]+", re.IGNORECASE)
_WORDS: Final = re.compile(rf"[A-Za-z]{{1,{_WORD_CHARS_MAX}}}(?:[ _.:/-]+[A-Za-z]{{1,{_WORD_CHARS_MAX}}})*[.!?]?")


def forms(secret: str) -> set[str]:
    """Every text that must not be seen because of `secret`."""
    whole = {text for text in (secret, secret.strip()) if text}
    lines = {line.strip() for line in secret.splitlines() if len(line.strip()) >= _ENCODED_CHARS_MIN}
    parts = members(secret)
    derived: set[str] = set()
    for text in whole | lines | parts:
        derived |= _encoded(text)
    return whole | parts | {form for form in derived | lines if len(form) >= _ENCODED_CHARS_MIN}


def members(secret: str) -> set[str]:
    """The values inside a secret that are secrets themselves. Bounded; total: never raises."""
    found: set[str] = set()
    for name, value in _values(secret, "", 0):
        if len(found) >= MEMBERS_MAX:
            break
        if _is_secret(name, value):
            found.add(value)
    return found - {secret}


def _values(text: str, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """(name, value) of everything inside a text, at any depth."""
    if depth > _DEPTH_MAX:
        return
    document = _document(text)
    if document is not None:
        yield from _leaves(document, name, depth)
        return
    for found in _PEM.finditer(text):
        body = found["body"].split()
        yield from (("private_key", line) for line in [*body, "".join(body)])
    for found in _PASSWORD.finditer(text):
        yield from (("password", password) for password in {found["password"], unquote(found["password"])})
    if _PEM.search(text) or _is_plain(text):
        return
    for line in text.splitlines():
        for part in _SEVERAL.split(line):
            pair = _PAIR.fullmatch(part.strip())
            if pair is not None and not pair["value"].startswith("//"):
                value = _unquoted(pair["value"])
                yield pair["name"], value
                if depth < 2 or value[:1] in "{[":
                    yield from _values(value, pair["name"], depth + 1)


def _document(text: str) -> Any:
    """The JSON object or list in `text`; None where there is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _leaves(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, key, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name, depth + 1)
    elif isinstance(value, str):
        yield name, value
        yield from _values(value, name, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, str(value)


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip().rstrip(",")


def _is_secret(name: str, value: str) -> bool:
    named = (is_secret_name(name) or _NAMED.search(name) is not None) and _NOT_NAMED.search(name) is None
    if named:
        return len(value) >= NAMED_CHARS_MIN and not _ADDRESS.fullmatch(value)
    return len(value) >= UNNAMED_CHARS_MIN and not _is_plain(value)


def _is_plain(text: str) -> bool:
    """Whether `text` is of a kind that people read and nobody keeps secret."""
    return any(plain.fullmatch(text) for plain in (_WORDS, _DATE, _MAIL, _ADDRESS))


def _encoded(text: str) -> set[str]:
    raw = text.encode("utf-8", "surrogatepass")
    found = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
    found |= {raw.hex(), raw.hex().upper(), *_base64_cores(raw)}
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        found |= {encoded, re.sub("%[0-9A-F]{2}", lambda escape: escape.group().lower(), encoded)}
    return found


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
