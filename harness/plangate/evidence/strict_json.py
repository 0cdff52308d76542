"""JSON as evidence may be written: one meaning only, bounded, refused where another reader could read it otherwise."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from plangate.documents.environment import Json
from plangate.errors import EvidenceError

__all__ = ["BYTES_MAX", "loads"]

BYTES_MAX: Final = 16 * 1024 * 1024
_DEPTH_MAX: Final = 64
_INTEGER_MAX: Final = 2**53 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


def loads(data: bytes, *, bytes_max: int = BYTES_MAX) -> Json:
    """The value in `data`.

    Raises EvidenceError `malformed-evidence`: duplicate keys, NaN or Infinity, integers that a double cannot hold, lone
    surrogates, invalid UTF-8, more than 64 levels or `bytes_max` bytes.
    """
    if len(data) > bytes_max:
        _refuse(f"it has {len(data):,} bytes, more than {bytes_max:,}")
    try:
        text = data.decode("utf-8")
        value: Json = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except UnicodeDecodeError:
        _refuse("it is not UTF-8")
    except RecursionError:
        _refuse(f"it is nested deeper than {_DEPTH_MAX} levels")
    except ValueError as error:
        _refuse(f"it is not JSON: {error}")
    # Only an escape can spell a lone surrogate, and nothing is nested deeper than brackets are opened.
    if "\\u" in text or text.count("[") + text.count("{") > _DEPTH_MAX:
        _check(value, depth=0)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("it has a key twice")
    return found


def _constant(name: str) -> NoReturn:
    _refuse(f"it has {name}")


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > _INTEGER_MAX:
        _refuse("it has an integer beyond 2^53 - 1")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        _refuse("it has a number that no double can hold")
    return number


def _check(value: Json, *, depth: int) -> None:
    if isinstance(value, dict | list) and depth >= _DEPTH_MAX:
        _refuse(f"it is nested deeper than {_DEPTH_MAX} levels")
    if isinstance(value, str):
        if _SURROGATE.search(value):
            _refuse("it has a lone surrogate")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check(key, depth=depth)
            _check(inner, depth=depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth=depth + 1)


def _refuse(why: str) -> NoReturn:
    raise EvidenceError(f"this evidence cannot be read: {why}", code="malformed-evidence")
