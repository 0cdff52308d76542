"""A tiny AI assistant that is sold in two plans: only the part that decides who may do what.

plangate calls `decide` (envs/dev.yaml says so) for every cell of the plan matrix and compares each answer with what
envs/plans/ says was sold. Replace it with your app, or reach your app over HTTP: README.md says how.
"""

from __future__ import annotations

from typing import Any

PLANS: dict[str, dict[str, Any]] = {
    "free": {"tools": {"answer.ask", "data.export"}, "questions": 20},
    "pro": {"tools": {"answer.ask", "data.export", "report.write", "mail.send"}, "questions": 500},
}
QUESTIONS_FOR = {"answer.ask": 1, "report.write": 5, "mail.send": 0, "data.export": 0}
A_PERSON_APPROVES = {"mail.send"}
KEPT_WHEN_SUSPENDED = {"data.export"}
REFUSED_WITH = {"PendingFulfillmentStart": "not_activated", "Suspended": "suspended", "Unsubscribed": "unsubscribed"}


def decide(request: dict[str, Any]) -> dict[str, Any]:
    """Answer one question: may this customer use this tool now?"""
    customer, tool, now = request["subject"]["properties"], request["action"]["name"], request["context"]["time"]
    refusal = _not_served(customer, tool) or _not_bought(customer, tool, now=now)
    refusal = refusal or _used_up(customer, tool, asked=request["context"].get("cost", {}))
    if refusal:
        return _answer("deny", refusal)
    if tool in A_PERSON_APPROVES:
        return _answer("require_approval", "approval_required")
    return _answer("allow", "entitled")


def _not_served(customer: dict[str, Any], tool: str) -> str:
    if tool not in QUESTIONS_FOR:
        return "unknown_capability"
    if not customer["tenant_linked"]:
        return "tenant_not_linked"
    state = customer["state"]
    if state == "Subscribed" or (state == "Suspended" and tool in KEPT_WHEN_SUSPENDED):
        return ""
    return REFUSED_WITH.get(state, "unknown_state")


def _not_bought(customer: dict[str, Any], tool: str, *, now: str) -> str:
    plan = PLANS.get(customer["plan"])
    if plan is None:
        return "unknown_plan"
    # What sales or support gave to this one customer, or took away, as long as it lasts.
    overrides = [each for each in customer["overrides"] if each["capability"] == tool]
    live = {each["effect"] for each in overrides if each["expires"] is None or each["expires"] > now}
    if "revoke" in live:
        return "revoked"
    return "" if tool in plan["tools"] or "grant" in live else "not_in_plan"


def _used_up(customer: dict[str, Any], tool: str, *, asked: dict[str, int]) -> str:
    used = customer["usage"].get("questions", 0)
    # A use may be dearer than usual, never cheaper: what it costs more is taken as used.
    used += max(0, asked.get("questions", 0) - QUESTIONS_FOR[tool])
    return "limit_exceeded" if used + QUESTIONS_FOR[tool] > PLANS[customer["plan"]]["questions"] else ""


def _answer(effect: str, reason: str) -> dict[str, Any]:
    return {"decision": effect == "allow", "context": {"effect": effect, "reason": reason}}
