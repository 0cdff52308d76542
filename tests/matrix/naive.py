"""The matrix as the specification describes it, read a second time: nested loops over a raw document, nothing shared.

It knows no blocks, numbers or caches: it lists the names of every cell in order, and what is asked in it.
"""

from __future__ import annotations

import itertools
from typing import Any

__all__ = ["Raw", "naive_cells", "naive_question"]

Raw = dict[str, Any]
Names = tuple[Any, ...]

HUGE = 10**9
FOREVER, LONG_PAST = "9999-01-01T00:00:00Z", "2000-01-01T00:00:00Z"
OVERRIDES = {
    "none": [],
    "grant": [("grant", FOREVER)],
    "grant_expired": [("grant", LONG_PAST)],
    "grant_ended_now": [("grant", "now")],
    "grant_other": [("grant", FOREVER)],
    "revoke": [("revoke", None)],
    "revoke_expired": [("revoke", LONG_PAST)],
    "revoke_ended_now": [("revoke", "now")],
    "revoke_other": [("revoke", None)],
    "grant_and_revoke": [("grant", FOREVER), ("revoke", None)],
}


def naive_cells(catalog: Raw, axes: Raw, *, phrasings: tuple[str, ...] = (), exclude: Any = ()) -> list[Names]:
    """The axis values of every cell, in forward order."""
    return [
        (plan, state, capability, surface, usage, setting, addon, quantity, consent, linked, override, cost, phrasing)
        for plan in named(axes.get("plan", "all"), list(catalog["plans"]), "unknown-plan")
        for state in named(axes.get("state", "all"), states(catalog), "UnknownState")
        for capability in named(axes.get("capability", "all"), list(catalog["capabilities"]), "unknown.capability")
        for surface in (["interaction", "orchestration", "tool"] if axes.get("surface") == "all" else ["default"])
        for usage in (usages(catalog, capability) if axes.get("usage") == "boundary" else ["zero"])
        for setting in (settings(catalog, plan, capability) if axes.get("setting") == "boundary" else ["plan"])
        for addon in addons(catalog, axes.get("addon", "none"))
        for quantity in axes.get("quantity", [1])
        for consent in (consents(catalog, capability) if axes.get("consent") == "boundary" else ["full"])
        for linked in axes.get("linked", [True])
        for override in (OVERRIDES if axes.get("override") == "boundary" else ["none"])
        for cost in costs(catalog, capability, axes.get("cost", "catalog"))
        for phrasing in (phrasings if "phrasing" in axes else [None])
        if number_at(catalog, plan, capability, usage, addon, quantity, cost) is not None
        if not any(
            excludes(
                rule,
                (
                    plan,
                    state,
                    capability,
                    surface,
                    usage,
                    setting,
                    addon,
                    quantity,
                    consent,
                    linked,
                    override,
                    cost,
                    phrasing,
                ),
            )
            for rule in exclude
        )
    ]


def named(asked: Any, known: list[str], unknown: str) -> list[str]:
    if isinstance(asked, list):
        return asked
    return [*known, unknown] if asked == "all+unknown" else known


def states(catalog: Raw) -> list[str]:
    return ["Subscribed", *(name for name in catalog.get("states", {}) if name != "Subscribed")]


def consumed(catalog: Raw, capability: str) -> Raw:
    return catalog["capabilities"].get(capability, {}).get("consumes", {})


def usages(catalog: Raw, capability: str) -> list[str]:
    """Every name that might exist; `number_at` says whether it does."""
    kinds = ["last_fit", "first_over", "exact", "far_over", "huge"]
    return ["zero", *(f"{kind}:{limit}" for limit in consumed(catalog, capability) for kind in kinds)]


def costs(catalog: Raw, capability: str, asked: Any) -> list[str]:
    if asked == "catalog" or not consumed(catalog, capability):
        return ["catalog"]
    return ["catalog", "more"] if asked == "more" else asked


def price(catalog: Raw, capability: str, cost: str) -> Raw:
    return {limit: units + (cost == "more") for limit, units in consumed(catalog, capability).items()}


def number_at(
    catalog: Raw, plan: str, capability: str, usage: str, addon: str, quantity: int | None, cost: str
) -> int | None:
    """The usage behind a name; None where there is no such use, or it would be there twice under two names."""
    if usage == "zero":
        return 0
    kind, _, limit = usage.partition(":")
    most = limit_of(catalog, plan, limit, addon, quantity)
    if most == "unlimited":
        return HUGE if kind == "huge" else None
    units = price(catalog, capability, cost)[limit]
    if kind == "huge" or (kind == "exact" and units == 1):
        return None
    number = {"last_fit": most - units, "first_over": most - units + 1, "exact": most, "far_over": most + most + units}
    return number[kind] if number[kind] > 0 else None


def lineage(catalog: Raw, plan: str) -> list[Raw]:
    found = []
    while plan in catalog["plans"]:
        found.append(catalog["plans"][plan])
        plan = catalog["plans"][plan].get("extends", "")
    return found


def limit_of(catalog: Raw, plan: str, limit: str, addon: str, quantity: int | None) -> Any:
    if plan not in catalog["plans"] or limit not in catalog["limits"]:
        return 0
    declared = [one["limits"][limit] for one in lineage(catalog, plan) if limit in one.get("limits", {})]
    value = declared[0] if declared else 0
    if value == "unlimited":
        return value
    base = value["per_quantity"] * (1 if quantity is None else quantity) if isinstance(value, dict) else value
    extras = [catalog["addons"][name]["limits"].get(limit, {"add": 0})["add"] for name in chosen(addon)]
    return base + sum(extras)


def own_settings(catalog: Raw, plan: str, capability: str) -> Raw:
    found = {}
    for name in catalog["capabilities"].get(capability, {}).get("uses", []):
        values = [one["settings"][name] for one in lineage(catalog, plan) if name in one.get("settings", {})]
        if values and values[0] != []:
            found[name] = values[0][0] if isinstance(values[0], list) else values[0]
    return found


def settings(catalog: Raw, plan: str, capability: str) -> list[str]:
    found = []
    for name in catalog["capabilities"].get(capability, {}).get("uses", []):
        declared = catalog["settings"].get(name, {})
        values = [*declared.get("order", []), *declared.get("set", [])]
        if "integer" in declared:
            own = own_settings(catalog, plan, capability).get(name)
            values = [declared["integer"]["minimum"]] if own is None else [own, own + 1]
        found += [f"{name}={value}" for value in values if f"{name}={value}" not in found]
    return found or ["plan"]


def addons(catalog: Raw, word: str) -> list[str]:
    names = list(catalog.get("addons", {}))
    alone = names if word != "none" else []
    pairs = [f"{a}+{b}" for a, b in itertools.combinations(names, 2)] if word == "all" else []
    return ["none", *alone, *pairs]


def chosen(addon: str) -> list[str]:
    return [] if addon == "none" else addon.split("+")


def consents(catalog: Raw, capability: str) -> list[str]:
    found = ["full", "none"]
    for scope in catalog["capabilities"].get(capability, {}).get("scopes", []):
        names = [f"missing:{scope['name']}"]
        if scope.get("consent", "user") != "user":
            names.append(f"short:{scope['name']}")
        found += [name for name in names if name not in found]
    return [*found, "preauthorized"]


def excludes(rule: Any, names: Names) -> bool:
    order = ["plan", "state", "capability", "surface", "usage", "setting", "addon", "quantity", "consent", "linked"]
    values = dict(zip([*order, "override", "cost", "phrasing"], names, strict=True))
    return all("*" in wanted or spelled(values[axis]) in wanted for axis, wanted in rule.items())


def spelled(value: Any) -> str:
    return (
        {None: "none", True: "true", False: "false"}.get(value, str(value))
        if not isinstance(value, int) or isinstance(value, bool)
        else str(value)
    )


def following(catalog: Raw, capability: str) -> str:
    """Another capability than this one: the next in the file, the first after the last."""
    names = list(catalog["capabilities"])
    others = [*names, *names][names.index(capability) + 1 :] if capability in names else names
    return others[0] if others[0] != capability else "unknown.capability"


def naive_question(catalog: Raw, names: Names, *, time: str) -> Raw:
    """The evaluation request of a cell, without the subject's id."""
    plan, state, capability, surface, usage, setting, addon, quantity, consent, linked, override, cost, phrasing = names
    scopes: dict[str, str] = {}
    for body in catalog["capabilities"].values():
        for scope in body.get("scopes", []):
            scopes.setdefault(scope["name"], "admin")
    kind, _, scope = consent.partition(":")
    if kind == "none":
        scopes = {}
    elif kind == "missing":
        del scopes[scope]
    elif kind == "short":
        scopes[scope] = "user"
    elif kind == "preauthorized":
        scopes = dict.fromkeys(scopes, "preauthorized")
    used = dict.fromkeys(catalog["limits"], 0)
    if usage != "zero":
        used[usage.partition(":")[2]] = number_at(catalog, plan, capability, usage, addon, quantity, cost)
    about = following(catalog, capability) if override.endswith("_other") else capability
    overrides = [
        {"capability": about, "effect": effect, "expires": time if expires == "now" else expires}
        for effect, expires in OVERRIDES[override]
    ]
    asked = own_settings(catalog, plan, capability)
    if setting != "plan":
        name, _, value = setting.partition("=")
        asked[name] = int(value) if "integer" in catalog["settings"][name] else value
    return {
        "subject": {
            "type": "tenant",
            "properties": {
                "plan": plan,
                "state": state,
                "quantity": quantity,
                "addons": chosen(addon),
                "tenant_linked": linked,
                "consents": [{"name": name, "level": level} for name, level in scopes.items()],
                "usage": used,
                "overrides": overrides,
            },
        },
        "action": {"name": capability},
        "resource": {"type": "capability", "id": capability, "properties": asked},
        "context": {
            "surface": surface,
            "cost": price(catalog, capability, cost),
            "phrasing": phrasing,
            "time": time,
        },
    }
