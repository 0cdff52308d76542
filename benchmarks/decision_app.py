"""The app under test of a benchmark: a small decision point over tables, about a microsecond a decision.

It is copied into the workspace that a benchmark makes, reads what is sold from `sold.json` there, and shares no code
with plangate. It knows what the suites of the benchmarks ask: plans, states, capabilities and usage.
"""

import json
from pathlib import Path
from typing import Any

__all__ = ["evaluate"]

_SOLD = json.loads(Path(__file__).with_name("sold.json").read_text())
_CAPABILITIES = _SOLD["capabilities"]
_PLANS = {name: plan | {"grants": frozenset(plan["grants"])} for name, plan in _SOLD["plans"].items()}
_STATES = _SOLD["states"]


def _deny(reason: str) -> dict[str, Any]:
    return {"decision": False, "context": {"effect": "deny", "reason": reason}}


def evaluate(request: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911 - a return for each rule
    """The answer to one AuthZEN evaluation request."""
    subject, name = request["subject"]["properties"], request["action"]["name"]
    capability = _CAPABILITIES.get(name)
    if capability is None:
        return _deny("unknown_capability")
    if capability["prohibited"]:
        return _deny("prohibited")
    state = subject["state"]
    if state != "Subscribed":
        return _deny(_STATES.get(state, "unknown_state"))
    plan = _PLANS.get(subject["plan"])
    if plan is None:
        return _deny("unknown_plan")
    if name not in plan["grants"]:
        return _deny("not_in_plan")
    reason, usage, limits = "entitled", subject["usage"], plan["limits"]
    for limit, cost in capability["consumes"].items():
        number = limits[limit]
        if number is not None and usage.get(limit, 0) + cost > number:
            if limit != "tokens":
                remaining = max(number - usage.get(limit, 0), 0)
                detail = {"name": limit, "limit": number, "remaining": remaining, "resets_at": None}
                answer = _deny("limit_exceeded")
                answer["context"]["limit"] = detail
                return answer
            reason = "soft_limit"
    if capability["lane"] == "approval":
        return {"decision": False, "context": {"effect": "require_approval", "reason": "approval_required"}}
    return {"decision": True, "context": {"effect": "allow", "reason": reason}}
