"""What a failed item says: verdict, expectation with its rule and line, what was observed how often, how to repeat."""

from __future__ import annotations

from typing import Any, NamedTuple

from plangate.entitlements.decision import LimitDetail
from plangate.errors import PlangateError
from plangate.pytest_plugin.asking import Witness
from plangate.reports.safe_text import clean
from plangate.verdicts.result import CellResult, ObservedCount, Verdict

__all__ = ["FailureText", "refusal_text", "witness_text"]

_DETAIL_MAX = 300
_ORDER = (Verdict.LEAK, Verdict.FLAKY, Verdict.LOCKOUT, Verdict.MISMATCH, Verdict.ERROR)


class _Place(NamedTuple):
    """Where a failure is and what it says in one line; pytest reads `message` for its summary and JUnit files."""

    path: str
    lineno: int
    message: str


class FailureText:
    """A text that pytest prints as it is, with its first line as the summary."""

    def __init__(self, text: str, *, path: str) -> None:
        self.text = text
        self.reprcrash = _Place(path, 0, text.partition("\n")[0])

    def __str__(self) -> str:
        return self.text

    def toterminal(self, tw: Any) -> None:
        """Print it."""
        for number, line in enumerate(self.text.splitlines()):
            tw.line(line, red=number == 0, bold=number == 0)


def refusal_text(error: PlangateError) -> str:
    """Why nothing can be observed at all."""
    return f"error: could not be judged\n{error}"


def witness_text(witness: Witness, *, options: str = "") -> str:
    """All that a reader needs; `options` is appended to commands (`-w DIR`)."""
    blocks = [_cell_text(result, options=options) for result in witness.worst]
    if witness.wanted > 1:
        counted = [f"{witness.counts[verdict]} {verdict}" for verdict in _ORDER if witness.counts.get(verdict)]
        failed = sum(witness.counts.get(verdict, 0) for verdict in _ORDER)
        head = f"{', '.join(counted) or 'undecided'}: {failed} of {witness.wanted} cells"
        shown = f"the worst {len(blocks)}:" if failed > len(blocks) else ""
        blocks = [head, *([shown] if shown else []), *blocks]
    if witness.complete < witness.wanted and not witness.worst:
        why = witness.stopped or "it was not asked as often as the suite says"
        blocks.append(f"error: not observed: {why}")
    elif witness.stopped:
        blocks.append(f"the run ended early: {witness.stopped}")
    if witness.differences:
        blocks.append("error: something else ran than the manifest declares, so nothing here passed (rule R14)")
        blocks += [f"  {one}" for one in witness.differences]
    return "\n".join(blocks)


def _cell_text(result: CellResult, *, options: str) -> str:
    expected = result.expected
    wanted = f"{expected.effect} {expected.reason}{_limit(expected.limit)}"
    place = ", ".join(f"{axis} {clean(str(value))}" for axis, value in result.axes.items() if value is not None)
    lines = [
        f"{result.verdict}: {_contrast(result)}",
        f"  cell       {place}",
        f"  expected   {wanted} (rule {expected.rule}, {expected.where})",
        *(f"  observed   {_observed(seen)}" for seen in result.observed),
        f"  reproduce  {result.reproduce}{options}",
    ]
    return "\n".join(lines)


def _contrast(result: CellResult) -> str:
    expected = f"{result.expected.effect} ({result.expected.reason})"
    if result.verdict is Verdict.ERROR:
        faults = sorted({str(seen.fault) for seen in result.observed if seen.fault is not None})
        return f"could not be observed ({', '.join(faults) or 'no answer'})"
    answers = list(
        dict.fromkeys(f"{seen.effect} ({clean(str(seen.reason))})" for seen in result.observed if seen.effect)
    )
    return f"{' and '.join(answers)} where the plan says {expected}"


def _observed(seen: ObservedCount) -> str:
    what = str(seen.fault) if seen.fault is not None else f"{seen.effect} {clean(seen.reason or '(no reason)')}"
    detail = f": {clean(seen.detail, length_max=_DETAIL_MAX)}" if seen.detail else ""
    return f"{seen.count} x {what}{_limit(seen.limit)}{detail}"


def _limit(limit: LimitDetail | None) -> str:
    if limit is None:
        return ""
    resets = f", resets at {clean(limit.resets_at)}" if limit.resets_at else ""
    return f" ({clean(limit.name)}: {limit.remaining} of {limit.limit} left{resets})"
