"""What an unquoted YAML word means: the YAML 1.2 core schema, and nothing of YAML 1.1.

`no`, `on`, `1_000`, `12:30` and `2026-11-01` are text. Source: YAML 1.2.2, section 10.3.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import Any, Final

from plangate.documents.wording import shown

__all__ = ["INTEGER_MAX", "BadScalarError", "read_plain", "whole_numbers"]

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


def whole_numbers(value: Any, *, except_in: Collection[str] = ()) -> Any:
    """`value` with each number that is whole as an integer: `20.0` is 20. What lies under the keys named stays."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {
            key: item if key in except_in else whole_numbers(item, except_in=except_in) for key, item in value.items()
        }
    if isinstance(value, list):
        return [whole_numbers(item, except_in=except_in) for item in value]
    return value


def read_plain(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar.

    Raises BadScalarError for a number that is not finite, for an integer beyond 2^53, and for one such as `020`, which
    is 20 here and 16 to readers of YAML 1.1.
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
    plain = digits.lstrip("+-0")
    if len(plain) > _DIGITS_MAX or int(plain or "0", base) > INTEGER_MAX:
        raise BadScalarError(
            f"the integer {shown(digits)} is beyond 2^53",
            code="number-too-large",
            hint="write a smaller number, or put it in quotes if it is a name",
        )
    number = int(plain or "0", base) * (-1 if digits.startswith("-") else 1)
    if base == 10 and digits.lstrip("+-").startswith("0"):
        _refuse_second_reading(digits, number)
    return number


def _refuse_second_reading(digits: str, number: int) -> None:
    """After a leading zero YAML 1.1 reads octal digits, or text where there is an 8 or a 9."""
    other = "text" if set(digits) & {"8", "9"} else int(digits, 8)
    if other == number:
        return
    raise BadScalarError(
        f"{shown(digits)} is {number} here and {other} to readers of YAML 1.1, which takes a leading zero for octal",
        code="number-ambiguous",
        hint=f"write {number}{'' if other == 'text' else f', or {other}'}; put it in quotes if it is a name",
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
