"""A run as JSON: what `plangate run ENV --json` prints, and a report in a `.json` file holds, key for key."""

from __future__ import annotations

from typing import Any

from plangate import JSON_FORMAT
from plangate.entitlements.decision import LimitDetail
from plangate.reports.axes import in_order
from plangate.reports.causes import Cause
from plangate.reports.counts import stopped_text, verdict_text
from plangate.reports.safe_text import encodable
from plangate.reports.shown import shown_texts
from plangate.reports.survey import Survey, survey
from plangate.verdicts.claims import not_tried
from plangate.verdicts.result import CellResult, Expected, ObservedCount, RunReport, SeenInPass, Totals

__all__ = ["FAILURES_MAX", "cell_document", "run_document"]

FAILURES_MAX = 1_000
"""Failures that the document lists; the rest stays in the store."""


def run_document(report: RunReport, *, surveyed: Survey | None = None) -> dict[str, Any]:
    """The JSON document of `report`: keys in one fixed order, failures at most 1,000 with leaks first.

    Beside the agreed keys: `leaked` (cells with any leaking observation), `missing` (cells not observed in every pass),
    `retried` (observations that survived a transport fault), `stopped`, `reused_from`, `selection` and `shard` (empty
    where it was not so; a part of the matrix is no verdict on the whole), `ran` (whether what ran is what the manifest
    says) with `ran_differences`, `not_tried` (sentences; rule R12), `requirements` (what the
    suites that passed whole show), `causes` (each failing cell is in one).
    """
    looked = surveyed or survey(report)
    summary = looked.summary
    header = summary.header
    return {
        "format": JSON_FORMAT,
        "run": header.run,
        "environment": header.environment,
        "release": header.release,
        "effective": header.effective,
        "suites": {suite.name: suite.digest for suite in summary.suites},
        "seed": header.seed,
        "seeds": {suite.name: suite.seed for suite in summary.suites},
        "fingerprint": summary.fingerprint,
        "details": summary.details,
        "verdict": summary.verdict.value,
        "headline": verdict_text(summary),
        "totals": _totals(summary.totals),
        "leaked": summary.leaked,
        "missing": summary.totals.missing,
        "retried": summary.totals.retried,
        "stopped": stopped_text(header),
        "app_output": header.app_output,
        "reused_from": header.reused_from,
        "selection": header.selection,
        "shard": header.shard,
        "ran": header.ran,
        "ran_differences": list(header.ran_differences),
        "requirements": [{"id": name, "text": text} for name, text in shown_texts(summary).items()],
        "not_tried": list(not_tried(summary)),
        "causes": [_cause(cause) for cause in looked.causes],
        "failures": [cell_document(result) for result in report.failures(limit=FAILURES_MAX)],
    }


def _totals(totals: Totals) -> dict[str, int]:
    return {
        "expected": totals.expected,
        "executed": totals.executed,
        "observations": totals.observations,
        "pass": totals.passed,
        "leak": totals.leak,
        "lockout": totals.lockout,
        "mismatch": totals.mismatch,
        "flaky": totals.flaky,
        "error": totals.error,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "title": cause.title,
        "verdict": cause.verdict.value,
        "verdicts": {verdict.value: count for verdict, count in cause.verdicts.items()},
        "cells": cause.cells,
        "leaked": cause.leaked,
        "expected": list(cause.due),
        "observed": list(cause.observed),
        "rules": list(cause.rules),
        "where": list(cause.where),
        "axes": {spread.axis: list(spread.values) for spread in cause.spreads},
        "cell": cause.cell,
        "reproduce": cause.reproduce,
        **({"alone": cause.alone} if cause.alone else {}),
    }


def cell_document(result: CellResult) -> dict[str, Any]:
    """One cell as it stands in `failures`, and as `show --cell --json` prints it."""
    document: dict[str, Any] = {
        "cell": result.cell,
        "suite": result.suite,
        "axes": {axis: result.axes[axis] for axis in in_order(result.axes)},
        "verdict": result.verdict.value,
        "expected": _expected(result.expected),
        "observed": [_observed(one) for one in result.observed],
        "reproduce": result.reproduce,
    }
    if result.alone:
        document["alone"] = result.alone
    if result.passes:
        document["passes"] = [_in_pass(one) for one in result.passes]
    if result.retries:
        document["retries"] = result.retries
    held: dict[str, Any] = _encodable(document)
    return held


def _in_pass(one: SeenInPass) -> dict[str, Any]:
    seen = _observed(one.seen)
    del seen["count"]
    walk = {"pass": one.number, "order": one.order, "concurrency": one.concurrency, "process": one.process}
    return {**walk, "took_us": one.took_us, "observed": seen}


def _encodable(value: Any) -> Any:
    """`value` with every text such that UTF-8 can hold it."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {name: _encodable(one) for name, one in value.items()}
    return [_encodable(one) for one in value] if isinstance(value, list) else value


def _expected(expected: Expected) -> dict[str, Any]:
    document: dict[str, Any] = {
        "effect": expected.effect.value,
        "reason": expected.reason,
        "rule": expected.rule,
        "where": expected.where,
    }
    if expected.limit is not None:
        document["limit"] = _limit(expected.limit)
    if expected.setting is not None:
        document["setting"] = expected.setting
    return document


def _limit(limit: LimitDetail) -> dict[str, Any]:
    """`resets_at` only where it is told, or can be known."""
    document = {"name": limit.name, "limit": limit.limit, "remaining": limit.remaining}
    return document if limit.resets_at is None else {**document, "resets_at": limit.resets_at}


def _observed(observed: ObservedCount) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if observed.effect is not None:
        document |= {"effect": observed.effect.value, "reason": observed.reason}
    if observed.fault is not None:
        document["fault"] = observed.fault.value
    if observed.limit is not None:
        document["limit"] = _limit(observed.limit)
    document["count"] = observed.count
    if observed.detail:
        document["detail"] = observed.detail
    return document
