"""How answers differ below effect and reason: what they tell of a limit, and what an app said that was no decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from plangate.releases.nested import Change, change_lines, nested_changes
from plangate.reports.safe_text import clean
from plangate.verdicts.result import CellResult, ObservedCount

__all__ = ["answer_changes", "answer_lines", "wavering_lines"]

_LINES_MAX: Final = 10


def answer_changes(before: Sequence[ObservedCount], after: Sequence[ObservedCount]) -> tuple[Change, ...]:
    """The leaves in which what was observed differs, counts left out; by path, what distinct answers have in common
    left away."""
    one, other = (_documents(side) for side in (before, after))
    return tuple(_cleaned(change) for change in nested_changes(one, other))


def answer_lines(before: CellResult | None, after: CellResult | None) -> Iterator[str]:
    """Lines for a terminal on what lies below effect and reason; none where only one side was observed."""
    if before is None or after is None:
        return
    deeper = [
        one for one in answer_changes(before.observed, after.observed) if "limit" in one.path or "said" in one.path
    ]
    yield from change_lines(deeper, lines_max=_LINES_MAX)


def wavering_lines(result: CellResult) -> Iterator[str]:
    """How the other answers of one cell differ from the most frequent one, a leaf a line."""
    first, *others = result.observed or (None,)
    for number, other in enumerate(others, 2):
        changes = answer_changes((first,), (other,)) if first is not None else ()
        yield from (f"answer 1 -> {number}  {line}" for line in change_lines(changes, lines_max=_LINES_MAX))


def _documents(observed: Sequence[ObservedCount]) -> Any:
    documents = [_document(one) for one in observed]
    return documents[0] if len(documents) == 1 else documents


def _document(one: ObservedCount) -> Mapping[str, Any]:
    limit = asdict(one.limit) if one.limit is not None else None
    return {"effect": one.effect, "reason": one.reason, "fault": one.fault, "limit": limit, "said": _said(one.detail)}


def _said(detail: str | None) -> Any:
    """What an app said, as JSON where the text ends with some; details are redacted and bounded where they are kept."""
    for mark in "{[":
        head, found, rest = (detail or "").partition(mark)
        if found:
            try:
                return [head.strip(), json.loads(found + rest)]
            except (ValueError, RecursionError):
                continue
    return detail


def _cleaned(change: Change) -> Change:
    return replace(change, path=clean(change.path), before=_safe(change.before), after=_safe(change.after))


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): _safe(inner) for key, inner in value.items()}
    return [_safe(inner) for inner in value] if isinstance(value, list) else value
