"""A second, independent reading of the decision rules, slow and plain, that the oracle must agree with.

It works on raw documents and shares no code with the product. Its route is another one, too: it does not walk the rules
and stop, it asks every rule whether its condition holds, whatever the others say, and then takes the lowest number.
Grants come from set algebra over the line of ancestors, windows and expiries from `datetime`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["reference_decision"]

Raw = dict[str, Any]
Verdict = tuple[str, str, dict[str, Any] | None]
"""effect, reason, limit"""

STATE_REASONS = {"PendingFulfillmentStart": "not_activated", "Suspended": "suspended", "Unsubscribed": "unsubscribed"}
LEVELS = {"user": 1, "admin": 2, "preauthorized": 2}


def reference_decision(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Raw:
    """`{rule, effect, reason, limit}` of the lowest rule that applies."""
    rows = []
    for number, rule in enumerate(RULES, start=1):
        found = rule(catalog, policy, subject, request)
        if found is not None:
            rows.append((number, found))
    number, (effect, reason, limit) = min(rows, key=lambda row: row[0])
    return {"rule": f"D{number}", "effect": effect, "reason": reason, "limit": limit}


def deny(reason: str, limit: Raw | None = None) -> Verdict:
    return "deny", reason, limit


# --- what the catalog says ---


def about(catalog: Raw, request: Raw) -> Raw:
    return catalog["capabilities"].get(request["capability"], {})


def ancestry(catalog: Raw, plan: str) -> list[Raw]:
    """Bodies of the plan and its ancestors, oldest first."""
    if plan not in catalog["plans"]:
        return []
    body = catalog["plans"][plan]
    return [*ancestry(catalog, body.get("extends", "")), body]


def plan_grants(catalog: Raw, plan: str) -> set[str]:
    granted: set[str] = set()
    for body in ancestry(catalog, plan):
        granted = (granted | set(body.get("grants", []))) - set(body.get("revokes", []))
    return granted


def inherited(catalog: Raw, plan: str, section: str, name: str) -> Any:
    """What the nearest of the plan and its ancestors says in `section` about `name`; None where none does."""
    said = [body[section][name] for body in ancestry(catalog, plan) if name in body.get(section, {})]
    return said[-1] if said else None


def bought_addons(catalog: Raw, subject: Raw) -> list[Raw]:
    return [body for name, body in catalog.get("addons", {}).items() if name in subject["addons"]]


def is_number(value: Any) -> bool:
    return type(value) is int


# --- time ---

SHAPE = re.compile(r"dddd-dd-ddTdd:dd:dd(\.d+)?(Z|[+-]dd:dd)")


def when(text: str) -> datetime | None:
    """RFC 3339 as an aware datetime (fractions up to microseconds); None where it is something else."""
    if not text.isascii() or not SHAPE.fullmatch(re.sub("[0-9]", "d", text.upper())):
        return None
    leap = text[17:19] == "60"
    plain = text.upper().replace("Z", "+00:00")
    plain = plain[:17] + ("59" if leap else plain[17:19]) + plain[19:]
    try:
        return datetime.fromisoformat(plain).astimezone(UTC) + timedelta(seconds=int(leap))
    except (ValueError, OverflowError):
        return None


def next_start(window: str, time: str) -> str | None:
    now = when(time)
    if now is None or window not in ("hour", "day", "week", "month"):
        return None
    start = now.replace(minute=0, second=0, microsecond=0)
    try:
        following = start + timedelta(hours=1)
        while not starts(window, following):
            following += timedelta(hours=1)
    except OverflowError:
        return None
    return following.strftime("%Y-%m-%dT%H:%M:%SZ")


def starts(window: str, hour: datetime) -> bool:
    midnight = hour.hour == 0
    first = {
        "hour": True,
        "day": midnight,
        "week": midnight and f"{hour:%a}" == "Mon",
        "month": midnight and hour.day == 1,
    }
    return first[window]


# --- the rules, each on its own ---


def d1(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    return None if request["capability"] in set(catalog["capabilities"]) else deny("unknown_capability")


def d2(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    banned = {name for name, body in catalog["capabilities"].items() if body.get("prohibited")}
    return deny("prohibited") if request["capability"] in banned | set(policy.get("denied", [])) else None


def d3(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    return None if subject["tenant_linked"] is True else deny("tenant_not_linked")


def d4(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    state = subject["state"]
    terms = catalog.get("states", {}).get(state, {})
    usable = set(terms.get("retains", []))
    if state == "Subscribed" or request["capability"] in usable:
        return None
    return deny(terms.get("reason") or STATE_REASONS.get(state, "unknown_state"))


def d5(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    return None if subject["plan"] in set(catalog["plans"]) else deny("unknown_plan")


def d6(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    now = when(request["time"])
    grants, revokes = set(plan_grants(catalog, subject["plan"])), set()
    for addon in bought_addons(catalog, subject):
        grants |= set(addon.get("grants", []))
    for override in subject["overrides"]:
        text = override.get("expires")
        end = None if text is None else when(text)
        unreadable = text is not None and (end is None or now is None)
        over = end is not None and now is not None and not now < end
        if over:
            continue
        if override["effect"] != "grant":
            revokes.add(override["capability"])
        elif not unreadable:
            grants.add(override["capability"])
    if request["capability"] in revokes:
        return deny("revoked")
    return None if request["capability"] in grants else deny("not_in_plan")


def d7(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    needed = {(one["name"], LEVELS[one.get("consent", "user")]) for one in about(catalog, request).get("scopes", [])}
    met = {(one["name"], level) for one in subject["consents"] for level in range(1, LEVELS.get(one["level"], 0) + 1)}
    return None if needed <= met else deny("consent_required")


def d8(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    judged = set(about(catalog, request).get("uses", [])) & set(request["settings"])
    within = {name for name in judged if fits(catalog, policy, subject["plan"], name, request["settings"][name])}
    return None if judged == within else deny("out_of_scope")


def fits(catalog: Raw, policy: Raw, plan: str, name: str, value: Any) -> bool:
    kind = catalog.get("settings", {}).get(name, {})
    own = inherited(catalog, plan, "settings", name)
    if own is None:
        return False
    if "order" in kind:
        order = kind["order"]
        return own in order and any(value == one for one in order[: order.index(own) + 1])
    if "set" in kind:
        return any(value == one for one in own)
    ceilings = [own, policy.get("max_steps", own) if name == "max_steps" else own]
    return "integer" in kind and is_number(value) and all(is_number(top) and value <= top for top in ceilings)


def exceeded(catalog: Raw, subject: Raw, request: Raw, *, soft: bool) -> Raw | None:
    consumes = about(catalog, request).get("consumes", {})
    declared = list(catalog.get("limits", {}))
    strangers = sorted(name for name in {**consumes, **request["cost"]} if name not in declared)
    for name in declared + strangers:
        if (catalog.get("limits", {}).get(name, {}).get("enforcement") == "soft") is not soft:
            continue
        asked = request["cost"].get(name)
        cost = max(consumes.get(name, 0), asked if is_number(asked) else 0)
        limit = total_limit(catalog, subject, name)
        used = subject["usage"].get(name, 0)
        used = max(used, 0) if is_number(used) else limit
        if cost > 0 and used + cost > limit:
            window = catalog.get("limits", {}).get(name, {}).get("window", "")
            left = int(limit - used) if limit > used else 0
            return {"name": name, "limit": limit, "remaining": left, "resets_at": next_start(window, request["time"])}
    return None


def total_limit(catalog: Raw, subject: Raw, name: str) -> float:
    """Infinity is unlimited."""
    if name not in catalog.get("limits", {}):
        return 0
    own = inherited(catalog, subject["plan"], "limits", name)
    if own == "unlimited":
        return float("inf")
    seats = 1 if subject["quantity"] is None else subject["quantity"] if is_number(subject["quantity"]) else 0
    base = own["per_quantity"] * max(seats, 0) if isinstance(own, dict) else own or 0
    return base + sum(addon.get("limits", {}).get(name, {"add": 0})["add"] for addon in bought_addons(catalog, subject))


def d9(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    limit = exceeded(catalog, subject, request, soft=False)
    return None if limit is None else deny("limit_exceeded", limit)


def d10(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    name = request["capability"]
    lane = inherited(catalog, subject["plan"], "lanes", name) or about(catalog, request).get("lane", "automatic")
    asked = "approval" in (lane, policy.get("lanes", {}).get(name))
    return ("require_approval", "approval_required", None) if asked else None


def d11(catalog: Raw, policy: Raw, subject: Raw, request: Raw) -> Verdict | None:
    limit = exceeded(catalog, subject, request, soft=True)
    return ("allow", "entitled", None) if limit is None else ("allow", "soft_limit", limit)


RULES = (d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11)
