"""The AuthZEN 1.0 shape of a question and of an answer, apart from how they travel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from copilot.entitlements import EMPTY, Ask, Customer, Decision, Override, instant

__all__ = [
    "Evaluation",
    "MalformedQuestionError",
    "answer",
    "ask_from",
    "consents_from",
    "customer_from",
    "overrides_from",
]

Evaluation = Mapping[str, Any]


class MalformedQuestionError(ValueError):
    """The question cannot be read, so it is not answered."""


def customer_from(evaluation: Evaluation) -> Customer:
    """Who asks, as the caller describes them in `subject.properties`."""
    try:
        subject = evaluation["subject"]
        told: Mapping[str, Any] = subject.get("properties") or EMPTY
        return Customer(
            tenant=subject["id"],
            plan=told["plan"],
            state=told["state"],
            seats=told.get("quantity", 1),
            extras=tuple(told.get("addons") or ()),
            linked=told.get("tenant_linked", True),
            consents=consents_from(told.get("consents") or ()),
            usage=told.get("usage") or EMPTY,
            overrides=overrides_from(told.get("overrides") or ()),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedQuestionError(f"subject cannot be read: {error!r}") from error


def ask_from(evaluation: Evaluation) -> Ask:
    """What is asked. Time comes from the question: a decision point has no clock of its own."""
    try:
        context: Mapping[str, Any] = evaluation.get("context") or EMPTY
        resource: Mapping[str, Any] = evaluation.get("resource") or EMPTY
        return Ask(
            tool=evaluation["action"]["name"],
            named=resource.get("properties") or EMPTY,
            spends=context.get("cost") or EMPTY,
            now=context.get("time") or "9999-12-31T23:59:59Z",
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedQuestionError(f"action, resource or context cannot be read: {error!r}") from error


def consents_from(consents: Iterable[Mapping[str, str]]) -> Mapping[str, frozenset[str]]:
    """Permission -> who granted it."""
    granted: dict[str, frozenset[str]] = {}
    for consent in consents:
        granted[consent["name"]] = granted.get(consent["name"], frozenset()) | {consent["level"]}
    return granted


def overrides_from(overrides: Iterable[Mapping[str, Any]]) -> tuple[Override, ...]:
    """Overrides as the service reads them; one whose end cannot be read never gives anything, and always takes."""
    return tuple(
        Override(
            each["capability"], each["effect"] == "grant", _until(each.get("expires"), gives=each["effect"] == "grant")
        )
        for each in overrides
        if each["effect"] in {"grant", "revoke"}
    )


def _until(text: str | None, *, gives: bool) -> datetime | None:
    if text is None:
        return None
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return instant("0001-01-01T00:00:00Z") if gives else None
    return instant(text)


def answer(decision: Decision) -> dict[str, Any]:
    """A decision as AuthZEN says it; `decision` is true for allow alone."""
    context: dict[str, Any] = {"effect": decision.effect, "reason": decision.reason}
    if decision.limit is not None:
        context["limit"] = decision.limit
    return {"decision": decision.effect == "allow", "context": context}
