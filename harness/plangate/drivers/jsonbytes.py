"""Reads JSON that came from a target: strictly, so that two readers can never understand it differently."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

__all__ = ["read_json"]


def read_json(raw: bytes) -> Any:
    """The JSON value in `raw` (UTF-8). Raises ValueError, in words, for anything else.

    Refused although Python would take it: the same key twice in an object, NaN and infinities, UTF-16, a nesting that
    is too deep to read.
    """
    try:
        return _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError("not JSON: not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise ValueError("not JSON: nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("not JSON: an object has the same key twice")
    return found


def _constant(word: str) -> NoReturn:
    raise ValueError(f"not JSON: {word} is no number")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
