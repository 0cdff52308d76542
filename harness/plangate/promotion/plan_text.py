"""A plan as people read it: what customers get first, then pins, gates, and what is missing. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from plangate.promotion.plan import PromptChange, Readiness

__all__ = ["plan_lines", "plan_markdown"]

_SENTENCES_MAX = 40
_PROMPT_LINES_MAX = 30
_PROMPT = "Prompt "


def plan_lines(ready: Readiness) -> Iterator[str]:
    """The plan for a terminal."""
    plan = ready.plan
    yield f"{_title(ready)}"
    yield f"plan {plan.digest}"
    for head, rows in _sections(ready):
        yield ""
        yield head
        yield from (f"  {row}" for row in rows)


def plan_markdown(ready: Readiness) -> Iterator[str]:
    """The plan for a pull request."""
    yield f"## {_title(ready)}"
    yield ""
    yield f"Plan `{ready.plan.digest}`"
    for head, rows in _sections(ready):
        yield ""
        yield f"### {head}"
        yield ""
        yield from _fenced(rows) if head.startswith(_PROMPT) else (f"- {_escaped(row)}" for row in rows)


def _title(ready: Readiness) -> str:
    plan = ready.plan
    origin = f"revision {plan.source_revision}" if plan.kind == "rollback" else plan.source
    verb = "goes back to the release of" if plan.kind == "rollback" else "takes the release of"
    return f"{plan.environment} {verb} {origin} (revision {plan.revision} becomes {plan.revision + 1})"


def _sections(ready: Readiness) -> Iterator[tuple[str, Sequence[str]]]:
    plan = ready.plan
    yield "What customers get", _customers(ready)
    pins = [f"{change.path}: {_said(change.before)} -> {_said(change.after)}" for change in plan.release_changes]
    yield "What the release changes", pins or ["documents behind its pins only"]
    for change in plan.prompt_changes:
        yield f"{_PROMPT}{change.prompt}", _prompt(change)
    yield "Gates", _gates(ready) or ["none: this environment asks for no suite"]
    if ready.bypassed:
        yield (
            "Bypassed",
            [
                f"{one.demand}  {one.text}; skipped by {by.person} until {by.expires}: {by.reason}"
                for one, by in ready.bypassed
            ],
        )
    if ready.ready:
        yield "Ready", [f"plangate {_verb(ready)} {plan.environment} --apply {plan.digest} --key FILE --as PERSON"]
        return
    yield "Missing", [f"{one.rule}  {one.text}" for one in ready.missing]
    if following := list(_next(ready)):
        yield "Next", following


def _customers(ready: Readiness) -> list[str]:
    told = list(ready.plan.sentences[:_SENTENCES_MAX])
    if not told:
        return ["no plan gains or loses anything"]
    rest = len(ready.plan.sentences) - len(told)
    if rest > 0:
        told.append(f"and {rest} more; --json has all")
    count = sum(len(diff.decision_changes) for diff in ready.plan.diffs.values())
    differ = "1 decision differs" if count == 1 else f"{count} decisions differ"
    return [*told, f"({differ}, counted by plan, state and capability)"]


def _prompt(change: PromptChange) -> list[str]:
    if not change.before or not change.after:
        return [f"version {change.after} is new here" if change.after else f"version {change.before} is gone"]
    lines = list(change.diff)
    while lines and not lines[-1].strip():
        lines.pop()
    told = lines[:_PROMPT_LINES_MAX] or ["the same words"]
    rest = len(lines) - len(told)
    return [*told, f"and {rest} more lines; --json has all"] if rest > 0 else told


def _fenced(rows: Sequence[str]) -> Iterator[str]:
    """A diff as code: the fence is longer than any run of backticks in it, so that no prompt ends it."""
    fence = "`" * max(3, 1 + max((len(run) for row in rows for run in re.findall("`+", row)), default=0))
    yield f"{fence}diff"
    yield from rows
    yield fence


def _gates(ready: Readiness) -> list[str]:
    width = max((len(gate.suite) for gate in ready.gates), default=0)
    return [
        f"{gate.suite.ljust(width)}  {gate.result.value}"
        + (f"  {gate.run}" if gate.run else "")
        + (f"  ({gate.why})" if gate.why else "")
        + ("  warns only" if gate.mode == "warn" else "")
        for gate in ready.gates
    ]


def _next(ready: Readiness) -> Iterator[str]:
    plan, rules = ready.plan, {one.rule for one in ready.missing}
    if any(gate.unmet in ready.missing for gate in ready.gates):
        yield f"plangate {_verb(ready)} {plan.environment} --validate --key FILE --as PERSON"
    if any(one.rule == "P1" and one.text.startswith(f"in {plan.source}, ") for one in ready.missing):
        yield f"plangate promote {plan.source} --validate --present --key FILE --as PERSON"
    if "P5" in rules:
        yield f"plangate approve {plan.digest} --key FILE --as PERSON --role ROLE"
    if "P7" in rules and plan.kind != "rollback":
        yield f"plangate hold {plan.environment} --lift --key FILE --as PERSON --reason TEXT"


def _verb(ready: Readiness) -> str:
    return "rollback" if ready.plan.kind == "rollback" else "promote"


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _escaped(text: str) -> str:
    """Markdown shows names from documents as they are."""
    return "".join(f"\\{mark}" if mark in "\\`*_<>[]|#" else mark for mark in text)
