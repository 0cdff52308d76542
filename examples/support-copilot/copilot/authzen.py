"""The AuthZEN 1.0 shape of a question and of an answer, apart from how they travel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
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
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class MalformedQuestionError(ValueError):
    """The question cannot be read, so it is not answered."""


def customer_from(evaluation: Evaluation) -> Customer:
    """Who asks, as the caller describes them in `subject.properties`. Raises MalformedQuestionError."""
    try:
        subject = evaluation["subject"]
        told: Mapping[str, Any] = subject.get("properties") or EMPTY
        return Customer(
            tenant=_text(subject["id"]),
            plan=_text(told["plan"]),
            state=_text(told["state"]),
            seats=_seats(told.get("quantity")),
            extras=tuple(map(_text, told.get("addons") or ())),
            linked=told.get("tenant_linked") is True,
            consents=consents_from(told.get("consents") or ()),
            usage=_units(told.get("usage") or EMPTY),
            overrides=overrides_from(told.get("overrides") or ()),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedQuestionError(f"subject cannot be read: {error!r}") from error


def ask_from(evaluation: Evaluation) -> Ask:
    """What is asked. Time comes from the question: a decision point has no clock of its own.

    Raises MalformedQuestionError.
    """
    try:
        context: Mapping[str, Any] = evaluation.get("context") or EMPTY
        resource: Mapping[str, Any] = evaluation.get("resource") or EMPTY
        named = resource.get("properties") or EMPTY
        named.get  # noqa: B018 - whatever has no such method is no object
        return Ask(
            tool=_text(evaluation["action"]["name"]),
            named=named,
            spends=_units(context.get("cost") or EMPTY),
            now=_text(context.get("time") or ""),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedQuestionError(f"action, resource or context cannot be read: {error!r}") from error


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"{value!r:.80} is not text")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r:.80} is not a whole number")
    return value


def _seats(value: Any) -> int:
    """A customer at a flat rate has no seats, and counts as one."""
    return 1 if value is None else _whole(value)


def _units(units: Mapping[str, Any]) -> Mapping[str, int]:
    for value in units.values():
        if type(value) is not int:
            raise TypeError(f"{value!r:.80} is not a whole number")
    return units


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
    moment = instant(text)
    return LONG_AGO if moment is None and gives else moment


def answer(decision: Decision) -> dict[str, Any]:
    """A decision as AuthZEN says it; `decision` is true for allow alone."""
    context: dict[str, Any] = {"effect": decision.effect, "reason": decision.reason}
    if decision.limit is not None:
        context["limit"] = decision.limit
    return {"decision": decision.effect == "allow", "context": context}
