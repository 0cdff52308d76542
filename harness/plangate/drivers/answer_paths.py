"""Paths into a JSON answer: `$.error.code`, or the JSON pointer `/error/code`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from plangate.documents.wording import shown
from plangate.errors import InputError

__all__ = ["ABSENT", "Lookup", "is_path", "lookup"]

ABSENT: Final = object()
"""What a path finds where there is nothing."""
Lookup = Callable[[Any], Any]
"""From an answer to what stands at one path in it."""


def is_path(text: str) -> bool:
    """Whether `text` is meant as a path, and not as the word itself."""
    return text.startswith(("$", "/"))


def lookup(path: str, where: str) -> Lookup:
    """What a JSON pointer (RFC 6901) or a `$.dotted.path` points at; `ABSENT` where it points at nothing."""
    if path in {"$", ""}:
        steps: list[str] = []
    elif path.startswith("$.") and all(path[2:].split(".")):
        steps = path[2:].split(".")
    elif path.startswith("/"):
        steps = [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    else:
        raise InputError(
            f"{shown(path)} is no path into an answer",
            code="bad-path",
            where=where,
            hint="write $.error.code or the JSON pointer /error/code",
        )

    def look(value: Any) -> Any:
        for step in steps:
            if isinstance(value, dict):
                value = value.get(step, ABSENT)
            elif isinstance(value, list) and step.isdecimal() and len(step) < 10 and int(step) < len(value):
                value = value[int(step)]
            else:
                return ABSENT
        return value

    return look
