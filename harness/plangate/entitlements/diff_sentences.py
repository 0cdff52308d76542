"""A decision diff as a person would tell it: `free gains report.export`, `pro loses 200 messages a day`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plangate.documents.catalog import SUBSCRIBED, PlanCatalog, Setting, SettingKind
from plangate.documents.environment import Json
from plangate.entitlements.decision import Effect
from plangate.entitlements.decision_diff import DecisionChange, DecisionDiff, TermChange, ValueChange

__all__ = ["sentences"]

_NAMES = "\0"
"""Stands for the names until all capabilities that change alike are known."""
_NAMES_MAX = 12
_WINDOWS = {
    "hour": "an hour",
    "day": "a day",
    "week": "a week",
    "month": "a month",
    "run": "a run",
    "term": "a term",
}
_LONG_WINDOWS = {"rolling": "in any", "billing": "in a billing period of"}
_EFFECTS = {
    (Effect.DENY, Effect.ALLOW): "gains {names}",
    (Effect.DENY, Effect.REQUIRE_APPROVAL): "gains {names}, with approval",
    (Effect.ALLOW, Effect.DENY): "loses {names} ({reason})",
    (Effect.REQUIRE_APPROVAL, Effect.DENY): "loses {names} ({reason})",
    (Effect.ALLOW, Effect.REQUIRE_APPROVAL): "now needs approval for {names}",
    (Effect.REQUIRE_APPROVAL, Effect.ALLOW): "no longer needs approval for {names}",
    (Effect.DENY, Effect.DENY): "is still refused {names}, now as {reason} (was {was})",
    (Effect.ALLOW, Effect.ALLOW): "is still allowed {names}, now as {reason} (was {was})",
}


def sentences(diff: DecisionDiff) -> tuple[str, ...]:
    """Everything in `diff` in words, one sentence each: plans in their order, then what no plan carries.

    A refusal that only changes its reason because its plan or capability came or went is told by that alone.
    """
    old, new = diff.before.catalog, diff.after.catalog
    told = [*_came_and_went(old, new)]
    for plan in dict.fromkeys([*new.plans, *old.plans]):
        told += _decisions(plan, [change for change in diff.decision_changes if change.plan == plan], old, new)
        if plan in old.plans and plan in new.plans:
            told += [_limit(change, old, new) for change in diff.limit_changes if change.plan == plan]
            told += [_setting(change, new) for change in diff.setting_changes if change.plan == plan]
    told += [_term(change) for change in diff.term_changes if _is_in_both(change, old, new)]
    return tuple(told)


def _came_and_went(old: PlanCatalog, new: PlanCatalog) -> Iterator[str]:
    kinds = (
        ("plan", old.plans, new.plans),
        ("capability", old.capabilities, new.capabilities),
        ("add-on", old.addons, new.addons),
        ("state", old.states, new.states),
    )
    for word, before, after in kinds:
        yield from (f"the {word} {name} is new" for name in after if name not in before)
        yield from (f"the {word} {name} is gone" for name in before if name not in after)


def _decisions(plan: str, changes: Sequence[DecisionChange], old: PlanCatalog, new: PlanCatalog) -> Iterator[str]:
    """One sentence for all capabilities of a plan that change alike, in the states that do."""
    states: dict[tuple[str, str], list[str]] = {}
    in_order = {change.capability for change in changes if change.state == SUBSCRIBED}
    for change in changes:
        refused_both = change.before.effect is change.after.effect is Effect.DENY
        elsewhere = change.state != SUBSCRIBED and change.capability in in_order
        if refused_both and (elsewhere or _follows_from_names(change, old, new)):
            continue
        states.setdefault((change.capability, _move(change)), []).append(change.state)
    capabilities: dict[tuple[str, str], list[str]] = {}
    for (capability, move), seen in states.items():
        capabilities.setdefault((move, _while(seen)), []).append(capability)
    for (move, where), names in capabilities.items():
        yield f"{plan} {move.replace(_NAMES, _named(names))}{where}"


def _move(change: DecisionChange) -> str:
    text = _EFFECTS[change.before.effect, change.after.effect]
    return text.format(names=_NAMES, reason=change.after.reason, was=change.before.reason)


def _follows_from_names(change: DecisionChange, old: PlanCatalog, new: PlanCatalog) -> bool:
    """Whether a refusal only says otherwise because the plan, capability or state came or went."""
    return not (
        (change.plan in old.plans) == (change.plan in new.plans)
        and (change.capability in old.capabilities) == (change.capability in new.capabilities)
        and (change.state in old.states) == (change.state in new.states)
    )


def _while(states: Sequence[str]) -> str:
    """Which states a change is about; nothing where a subscription in order sees it."""
    return "" if SUBSCRIBED in states else f" while {' or '.join(states)}"


def _named(names: Sequence[str]) -> str:
    rest = len(names) - _NAMES_MAX
    return ", ".join(names[:_NAMES_MAX]) + (f" and {rest} more" if rest > 0 else "")


def _limit(change: ValueChange, old: PlanCatalog, new: PlanCatalog) -> str:
    """`pro gains 30 messages a day (20, now 50)`; a change that is no difference of numbers tells both ends."""
    limit = new.limits.get(change.name) or old.limits.get(change.name)
    unit, window = (limit.unit, limit.window) if limit else (change.name, "")
    kind, _, length = window.partition(" ")
    period = _WINDOWS.get(window) or f"{_LONG_WINDOWS.get(kind, kind)} {length}".strip()
    per_seat = isinstance(change.before, dict) or isinstance(change.after, dict)
    first, second = _number(change.before), _number(change.after)
    alike = isinstance(change.before, dict) == isinstance(change.after, dict) or 0 in (first, second)
    if first is not None and second is not None and alike and first != second:
        count = abs(second - first)
        counted = f"{count} {unit if count == 1 else _plural(unit)} {period}".rstrip()
        seats = " for each seat" if per_seat else ""
        return f"{change.plan} {'gains' if second > first else 'loses'} {counted}{seats} ({first}, now {second})"
    return f"{change.plan}: {change.name} {period} {'go' if change.name.endswith('s') else 'goes'} from " + (
        f"{_said(change.before)} to {_said(change.after)}"
    )


def _number(value: Json) -> int | None:
    """The number of a limit, per seat or not; not set is zero; unlimited is none."""
    if isinstance(value, dict):
        value = value.get("per_quantity")
    return 0 if value is None else value if isinstance(value, int) else None


def _plural(unit: str) -> str:
    return unit if unit.endswith("s") else f"{unit}s"


def _setting(change: ValueChange, new: PlanCatalog) -> str:
    setting = new.settings.get(change.name)
    if (
        setting
        and setting.kind is SettingKind.SET
        and isinstance(change.before, list)
        and isinstance(change.after, list)
    ):
        gained = [str(value) for value in change.after if value not in change.before]
        lost = [str(value) for value in change.before if value not in change.after]
        moves = [f"{verb} {_named(names)}" for verb, names in (("gains", gained), ("loses", lost)) if names]
        return f"{change.plan} {' and '.join(moves) or 'reorders its'} in {change.name}"
    if change.before is None or change.after is None:
        told = (
            f"is no longer set (was {_said(change.before)})"
            if change.after is None
            else f"is set to {_said(change.after)}"
        )
        return f"{change.plan}: {change.name} {told}"
    verb = _verb(setting, change)
    return f"{change.plan}: {change.name} {verb} from {_said(change.before)} to {_said(change.after)}"


def _verb(setting: Setting | None, change: ValueChange) -> str:
    if setting and setting.kind is SettingKind.ORDER:
        ends = [setting.values.index(v) if v in setting.values else -1 for v in (change.before, change.after)]
        return "widens" if ends[1] > ends[0] else "narrows"
    if isinstance(change.before, int) and isinstance(change.after, int):
        return "rises" if change.after > change.before else "falls"
    return "goes"


def _is_in_both(change: TermChange, old: PlanCatalog, new: PlanCatalog) -> bool:
    """Whether the thing a term belongs to is declared on both sides; else that it came or went says it."""
    tables = {
        "capabilities": (old.capabilities, new.capabilities),
        "limits": (old.limits, new.limits),
        "settings": (old.settings, new.settings),
        "addons": (old.addons, new.addons),
    }
    return all(change.name in table for table in tables[change.section])


def _term(change: TermChange) -> str:
    return f"{change.what} goes from {_said(change.before)} to {_said(change.after)}"


def _said(value: Json) -> str:
    """A value in words: `own`, `small, large`, `100 for each seat`, `{exports: 1}`, `nothing`."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        if list(value) == ["per_quantity"]:
            return f"{value['per_quantity']} for each seat"
        return "{" + ", ".join(f"{name}: {_said(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return ", ".join(_said(part) for part in value) or "nothing"
    return str(value)
