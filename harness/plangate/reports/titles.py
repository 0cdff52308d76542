"""The one sentence that says a cause: who, what, and at which surfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from plangate.entitlements.decision import Effect, Reason
from plangate.reports.axes import MAIN_AXES
from plangate.reports.safe_text import fit
from plangate.reports.signatures import Due, Symptom
from plangate.reports.spreads import Spread, listing
from plangate.verdicts.result import Verdict

__all__ = ["Subject", "title_of"]

_TITLE_MAX = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a title is made from."""

    verdict: Verdict
    symptom: Symptom
    dues: tuple[Due, ...]
    """The decisions that were due, most cells first."""
    limits: tuple[str, ...]
    settings: tuple[str, ...]
    values: Mapping[str, Spread]
    """By axis; an axis that was given up to save memory is not there."""
    bounded: tuple[str, ...]
    """Axes whose values tell the failing cells from all that are like them; empty where none do."""
    pairs: Mapping[str, tuple[str, ...]]
    """Plan -> its failing capabilities, where plans differ; else empty."""
    observed: str
    """What was observed most, in words."""
    said: tuple[tuple[str, str], ...]
    """(effect, reason) pairs that were observed, leaks first, then most cells first."""
    leaked: bool
    """Whether any observation of a flaky cell was a leak."""
    refuses_nothing: bool
    """Whether every refusal that was due, within the bounds, was let through."""

    def spread(self, axis: str, *, plural: str, every: str = "") -> str:
        """The values on `axis` in words; `every` where the cells take all that the suites span."""
        spread = self.values.get(axis)
        if spread is None:
            return f"some {plural}"
        if spread.everywhere and every:
            return every
        return listing(spread.values, count=spread.count, noun=plural)

    @property
    def plans(self) -> str:
        """`free`, `free and pro`, `every plan`."""
        return self.spread("plan", plural="plans", every="every plan")

    @property
    def capabilities(self) -> str:
        """`report.export`, or `7 capabilities`."""
        return self.spread("capability", plural="capabilities")

    @property
    def who_what(self) -> str:
        """` (free: report.export)`, each plan with its own capabilities where they differ; empty where it is all."""
        spreads = (self.values.get("plan"), self.values.get("capability"))
        if all(spread is not None and spread.count == spread.spanned for spread in spreads):
            return ""
        return f" ({self._who_what})"

    @property
    def _who_what(self) -> str:
        if not self.pairs or len(self.pairs) > 3 or max(map(len, self.pairs.values())) > 3:
            return f"{self.plans}: {self.capabilities}"
        return "; ".join(f"{plan}: {listing(names, count=len(names), noun='')}" for plan, names in self.pairs.items())

    @property
    def surfaces(self) -> str:
        """` at all 3 surfaces`, ` at the tool surface`; empty where the suites try only one."""
        spread = self.values.get("surface")
        if spread is None or spread.spanned < 2 or spread.values == ("default",):
            return ""
        if spread.everywhere:
            return " at both surfaces" if spread.count == 2 else f" at all {spread.count} surfaces"
        noun = "surface" if spread.count == 1 else "surfaces"
        return f" at the {listing(spread.values, count=spread.count, noun='of the')} {noun}"


def title_of(subject: Subject) -> str:
    """The sentence for a cause, at most 160 columns."""
    if subject.symptom.kind == "various":
        return fit(f"Many different answers, among them: {subject.observed}", _TITLE_MAX)
    titles: Mapping[Verdict, Callable[[Subject], str]] = {
        Verdict.LEAK: _leak,
        Verdict.FLAKY: _flaky,
        Verdict.LOCKOUT: _lockout,
        Verdict.MISMATCH: _mismatch,
        Verdict.ERROR: _error,
    }
    return fit(titles[subject.verdict](subject) + _conditions(subject), _TITLE_MAX)


def _conditions(subject: Subject) -> str:
    """What else it takes beside plan, state, capability and surface: ` with override grant_expired`."""
    implied = {_IMPLIED.get(due.reason) for due in subject.dues}
    told = []
    for axis in subject.bounded:
        spread = subject.values[axis]
        if axis == "phrasing":
            told.append(f"{spread.count} of {spread.spanned} phrasings")
        elif axis not in MAIN_AXES and axis not in implied and spread.count <= 2:
            told.append(f"{axis} {spread.short(2)}")
    return f" with {' and '.join(told[:2])}" if told else ""


_IMPLIED: Mapping[str, str] = {
    Reason.TENANT_NOT_LINKED: "linked",
    Reason.REVOKED: "override",
    Reason.CONSENT_REQUIRED: "consent",
    Reason.OUT_OF_SCOPE: "setting",
    Reason.LIMIT_EXCEEDED: "usage",
}
"""The axis that a reason speaks of anyway."""


def _leak(subject: Subject) -> str:
    if len(subject.dues) > 1:
        return _many_rules_leak(subject)
    due = subject.dues[0]
    if due.effect is Effect.REQUIRE_APPROVAL:
        return f"{subject.capabilities} runs without the approval it needs{subject.surfaces} ({subject.plans})"
    if due.reason == Reason.NOT_IN_PLAN:
        return _not_in_plan(subject)
    what = _LEAKS.get(due.reason, "allowed, though the plan says no")
    if due.rule == "D4" and due.reason not in _MARKETPLACE_STATES and (states := _named_states(subject)):
        what = f"Tenants in the state {states} keep working"
    names = (*subject.limits, *subject.settings)
    named = listing(names, count=min(3, len(names)), noun="") if names else ""
    return f"{what.format(named=named or 'its limit')}{subject.surfaces}{subject.who_what}"


_LEAKS: Mapping[str, str] = {
    Reason.UNKNOWN_CAPABILITY: "A capability that the catalog does not have is allowed",
    Reason.PROHIBITED: "A prohibited capability is allowed",
    Reason.TENANT_NOT_LINKED: "A tenant that is not linked is served",
    Reason.NOT_ACTIVATED: "A subscription that is not activated yet is served",
    Reason.SUSPENDED: "Suspended tenants keep working",
    Reason.UNSUBSCRIBED: "Unsubscribed tenants keep working",
    Reason.UNKNOWN_STATE: "A subscription in an unknown state is served",
    Reason.UNKNOWN_PLAN: "A plan that the catalog does not have is served",
    Reason.REVOKED: "A revoked capability still works",
    Reason.CONSENT_REQUIRED: "Works without the consent it needs: {named}",
    Reason.OUT_OF_SCOPE: "Goes beyond the plan's {named}",
    Reason.LIMIT_EXCEEDED: "More is allowed than the limit on {named}",
}


_MARKETPLACE_STATES = frozenset({Reason.NOT_ACTIVATED, Reason.SUSPENDED, Reason.UNSUBSCRIBED})


def _named_states(subject: Subject) -> str:
    """The states in words; empty where it is only the one that no catalog has."""
    spread = subject.values.get("state")
    if spread is None or all(value.startswith("UnknownState") for value in spread.values):
        return ""
    return listing(spread.values, count=spread.count, noun="of the states").replace(" and ", " or ")


def _not_in_plan(subject: Subject) -> str:
    if subject.pairs and not {"plan", "capability"} & set(subject.bounded) and subject.bounded:
        return f"What a plan does not grant is allowed{subject.surfaces}{subject.who_what}"
    if subject.pairs:
        return f"Plans can use what they did not buy{subject.surfaces}{subject.who_what}"
    capabilities = subject.values.get("capability")
    bought = " that it did not buy" if capabilities is None or capabilities.count > 3 else ""
    if subject.values.get("plan") is not None and subject.values["plan"].count > 1:
        bought = " that they did not buy" if bought else ""
    return f"{subject.plans} can use {subject.capabilities}{bought}{subject.surfaces}"


def _many_rules_leak(subject: Subject) -> str:
    rules = "everything is allowed" if subject.refuses_nothing else f"what {len(subject.dues)} rules refuse is allowed"
    told = [axis for axis in subject.bounded if axis in ("plan", "capability", "state", "surface")]
    if told == ["surface"]:
        return f"{rules[0].upper()}{rules[1:]}{subject.surfaces}"
    if not subject.bounded and subject.refuses_nothing:
        return f"No refusal holds: everything is allowed{subject.surfaces}"
    if Reason.NOT_IN_PLAN in {due.reason for due in subject.dues} and _is_one_place(subject):
        return _not_in_plan(subject)
    if not told:
        return f"{rules[0].upper()}{rules[1:]}{subject.surfaces}"
    bounds = ", ".join(f"{axis} {subject.values[axis].text}" for axis in told if axis != "surface")
    return f"{bounds}: {rules}{subject.surfaces}"


def _is_one_place(subject: Subject) -> bool:
    spreads = (subject.values.get("plan"), subject.values.get("capability"))
    return all(spread is not None and spread.count == 1 for spread in spreads)


def _flaky(subject: Subject) -> str:
    changes = "Sometimes allowed, though the plan says no" if subject.leaked else "Answers change"
    what = {
        "effect": changes if subject.leaked else f"{changes} between observations of the same cell",
        "reason": "The reason changes between observations of the same cell",
        "limit": "The reported limit changes between observations of the same cell",
    }[subject.symptom.kind]
    return f"{what}{subject.surfaces}{subject.who_what}"


def _lockout(subject: Subject) -> str:
    if all(effect == Effect.REQUIRE_APPROVAL for effect, _ in subject.said):
        return f"An approval is asked for where the plan needs none{subject.surfaces}{subject.who_what}"
    reasons = {reason for _, reason in subject.said}
    reason = reasons.pop() if len(reasons) == 1 else ""
    said = f": {reason}" if reason else ", without a reason" if reasons == set() else ""
    if subject.pairs:
        return f"Plans are refused what they bought{subject.surfaces}{said}{subject.who_what}"
    plans = subject.values.get("plan")
    verb = "are" if plans is not None and plans.count > 1 and not plans.everywhere else "is"
    return f"{subject.plans} {verb} refused {subject.capabilities}{subject.surfaces}{said}"


def _mismatch(subject: Subject) -> str:
    place = f"{subject.surfaces}{subject.who_what}"
    due = f"{subject.dues[0].reason} is" if len(subject.dues) == 1 else f"{len(subject.dues)} other reasons are"
    if subject.symptom.kind == "silent":
        return f"The app gives no reason where {due.replace(' other', '')} due{place}"
    if subject.symptom.kind == "limit":
        named = " and ".join(subject.limits) or "a limit"
        return f"The app reports another limit than the plan's: {named}{place}"
    reasons = list(dict.fromkeys(reason or "nothing" for _, reason in subject.said))
    if any(effect == Effect.REQUIRE_APPROVAL != subject.dues[0].effect for effect, _ in subject.said[:1]):
        return f"An approval is asked for where the plan says no{place}"
    said = " or ".join(reasons) if len(reasons) < 3 else "another"
    return f"Right effect, wrong reason: {said} where {due} due{place}"


def _error(subject: Subject) -> str:
    if subject.symptom.kind == "unobserved":
        return "Cells that were not observed"
    observed = fit(subject.observed, 100).rstrip(" :")
    return f"{observed[0].upper()}{observed[1:]}{subject.surfaces if subject.who_what else ''}{subject.who_what}"
