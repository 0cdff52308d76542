"""One cell in words: what was asked, what was expected and why, what was observed, and how to see it again."""

from __future__ import annotations

from collections.abc import Iterator

from plangate.entitlements.decision import LimitDetail
from plangate.reports.answers import wavering_lines
from plangate.reports.safe_text import clean
from plangate.verdicts.result import CellResult, Expected, ObservedCount, SeenInPass

__all__ = ["cell_lines"]


def cell_lines(result: CellResult) -> Iterator[str]:
    """Lines for a terminal; untrusted text in them carries no control characters."""
    leaked = ", leaked" if result.leaked and result.verdict != "leak" else ""
    yield f"{result.cell}  {result.suite}  {result.verdict.upper()}{leaked}"
    width = max(len(axis) for axis in result.axes)
    for axis, value in result.axes.items():
        yield f"  {axis.ljust(width)}  {clean(_text(value))}"
    yield f"expected  {_expected(result.expected)}"
    yield f"because   rule {result.expected.rule}, {result.expected.where}"
    for one in result.observed:
        yield f"observed  {_observed(one)}"
        if one.detail:
            yield f"          {clean(one.detail)}"
    yield from (f"differs   {line}" for line in wavering_lines(result))
    if not result.observed:
        yield "observed  nothing"
    if result.retries:
        yield f"retried   {result.retries} observations needed another try at the transport"
    for walk in result.passes:
        yield f"pass {walk.number:<4} {_walk(walk)}: {_decision(walk.seen)}"
    yield f"again     {result.reproduce}"
    if result.alone:
        yield f"          {result.alone}"


def _walk(one: SeenInPass) -> str:
    """`shuffled, 16 at a time, fresh process 2`."""
    level = "one at a time" if one.concurrency == 1 else f"{one.concurrency} at a time"
    process = f", fresh process {one.process}" if one.process is not None else ""
    return f"{one.order}, {level}{process}"


def _text(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _expected(expected: Expected) -> str:
    return f"{expected.effect} {expected.reason}{_limit(expected.limit)}"


def _observed(one: ObservedCount) -> str:
    return f"{_decision(one)}, {one.count} times" if one.count != 1 else f"{_decision(one)}, once"


def _decision(one: ObservedCount) -> str:
    what = f"{one.effect} {one.reason or 'without a reason'}" if one.effect else f"no decision: {one.fault}"
    return clean(what + _limit(one.limit))


def _limit(limit: LimitDetail | None) -> str:
    if limit is None:
        return ""
    resets = f", resets at {limit.resets_at}" if limit.resets_at else ""
    return f" ({limit.name}: {limit.limit}, {limit.remaining} left{resets})"
