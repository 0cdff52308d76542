"""What an unquoted YAML word means: the YAML 1.2 core schema, and nothing of YAML 1.1.

`no`, `on`, `1_000`, `12:30` and `2026-11-01` are text. Source: YAML 1.2.2, section 10.3.2.
"""

from __future__ import annotations

import math
import re
from typing import Final

from plangate.documents.wording import shown

__all__ = ["INTEGER_MAX", "BadScalarError", "read_plain"]

INTEGER_MAX: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8785 refuses larger ones)."""

_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_STARTS: Final = frozenset("+-.0123456789")
_INTEGER: Final = re.compile(r"[-+]?[0-9]+\Z")
_PREFIXED: Final = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_DIGITS_MAX: Final = 20


class BadScalarError(ValueError):
    """A number that no document may hold; `code`, the message and `hint` go into the problem."""

    def __init__(self, message: str, *, code: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


def read_plain(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar.

    Raises BadScalarError for a number that is not finite, and for an integer beyond 2^53.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.match(text):
        return _integer(text, 10)
    if _PREFIXED.match(text):
        return _integer(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.match(text):
        return _finite(text)
    if _NOT_FINITE.match(text):
        raise _not_finite(text)
    return text


def _integer(digits: str, base: int) -> int:
    # Counted before it is converted: Python refuses (and slows down on) numbers of thousands of digits.
    if len(digits.lstrip("+-0")) <= _DIGITS_MAX:
        number = int(digits, base)
        if abs(number) <= INTEGER_MAX:
            return number
    raise BadScalarError(
        f"the integer {shown(digits)} is beyond 2^53",
        code="number-too-large",
        hint="write a smaller number, or put it in quotes if it is a name",
    )


def _finite(text: str) -> float:
    number = float(text)
    if math.isfinite(number):
        return number
    raise _not_finite(text)


def _not_finite(text: str) -> BadScalarError:
    return BadScalarError(
        f"{shown(text)} is not a finite number",
        code="number-not-finite",
        hint="write a finite number; for a limit without end write unlimited",
    )
