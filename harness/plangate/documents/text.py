"""Bytes -> text that people can see all of: UTF-8, no tabs, no control characters, bounded in size."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from plangate.errors import InputError, Problem

__all__ = ["as_committed", "read_file", "read_text"]

# Beside control characters, what YAML 1.1 parsers take for line breaks and YAML 1.2 does not (U+0085, U+2028, U+2029).
_HIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_TABS: Final = re.compile("\t+")
_LINE_BREAK: Final = re.compile("\r\n|\r|\n")
_PLACES_MAX: Final = 100


def as_committed(data: bytes) -> bytes:
    """`data` as every checkout has it: lines end in LF, and no byte order mark stands before them.

    Git may write CRLF into a working tree (core.autocrlf), and editors a mark: neither is a change of a document.
    """
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def read_file(file: Path, *, path: str, bytes_max: int) -> bytes:
    """The bytes of `file`, never more than `bytes_max + 1` of them: `read_text` refuses the excess with a message.

    Raises InputError (`unreadable-file`), naming the file `path`, where it is no regular file or cannot be read.
    """
    try:
        if not file.is_file():
            raise InputError("is not a file", code="unreadable-file", where=path, hint="put a regular file here")
        with file.open("rb") as stream:
            return stream.read(bytes_max + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"cannot be read: {reason}", code="unreadable-file", where=path, hint="check the file's permissions"
        ) from None


def read_text(data: bytes, *, path: str, bytes_max: int, tabs_allowed: bool = False) -> tuple[str, list[Problem], bool]:
    """The text, what is wrong with it, and whether it is worth parsing. Refused tabs come back as spaces. Total."""
    if len(data) > bytes_max:
        size = f"is larger than {bytes_max // (1024 * 1024)} MiB"
        return "", [Problem(path=path, line=1, column=1, code="file-too-large", message=size, hint="split it")], False
    if b"\0" in data:
        return "", [_binary(data, path)], False
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return "", [_not_utf8(data, error.start, path)], False
    hidden = _hidden(text, path)
    if hidden:
        return text, hidden, False
    if tabs_allowed or "\t" not in text:
        return text, [], True
    return text.replace("\t", " "), _tabs(text, path), True


def _binary(data: bytes, path: str) -> Problem:
    line, column = _place(data[: data.index(b"\0")].decode("utf-8", "replace"))
    return Problem(
        path=path,
        line=line,
        column=column,
        code="not-text",
        message="the file is binary (it holds a zero byte)",
        hint="save it as UTF-8 text",
    )


def _not_utf8(data: bytes, start: int, path: str) -> Problem:
    line, column = _place(data[:start].decode("utf-8", "replace"))
    return Problem(
        path=path,
        line=line,
        column=column,
        code="invalid-utf8",
        message=f"byte 0x{data[start]:02x} is not UTF-8",
        hint="save the file as UTF-8",
    )


def _hidden(text: str, path: str) -> list[Problem]:
    found = []
    for match in _first(_HIDDEN, text):
        line, column = _place(text[: match.start()])
        mark = f"U+{ord(match.group()):04X}"
        found.append(
            Problem(
                path=path,
                line=line,
                column=column,
                code="control-character",
                message=f"the invisible character {mark} is not allowed",
                hint=f'remove it, or write it as "\\u{ord(match.group()):04x}" in double quotes',
            )
        )
    return found


def _tabs(text: str, path: str) -> list[Problem]:
    found: dict[int, Problem] = {}
    for match in _first(_TABS, text):
        line, column = _place(text[: match.start()])
        found.setdefault(
            line,
            Problem(
                path=path,
                line=line,
                column=column,
                code="tab",
                message="a tab is not allowed",
                hint='use spaces; inside text write "\\t" in double quotes',
            ),
        )
    return list(found.values())


def _first(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    matches = []
    for match in pattern.finditer(text):
        matches.append(match)
        if len(matches) == _PLACES_MAX:
            break
    return matches


def _place(before: str) -> tuple[int, int]:
    lines = _LINE_BREAK.split(before)
    return len(lines), len(lines[-1]) + 1
