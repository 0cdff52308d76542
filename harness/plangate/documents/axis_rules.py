"""Whether a target is told what a suite varies: an app that is not told answers as for a plain customer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from plangate.documents.catalog import PlanCatalog
from plangate.documents.environment import Environment, Target
from plangate.documents.problems import problem_at, strings_in
from plangate.documents.suite import Suite
from plangate.documents.wording import listed
from plangate.errors import Problem

__all__ = ["untold_axes"]

_TEMPLATED: Final = frozenset({"http", "asgi"})
"""Drivers that send what templates say; the others send the whole request."""
_TOLD_IN: Final = ("url", "headers", "arrange", "request")
_PLACEHOLDER: Final = re.compile(r"\{([a-z]+(?:\.[A-Za-z0-9_-]+)*)\}")
_SUBJECT: Final[Mapping[str, str]] = {
    "plan": "subject.plan",
    "state": "subject.state",
    "addon": "subject.addons",
    "quantity": "subject.quantity",
    "consent": "subject.consents",
    "linked": "subject.tenant_linked",
    "override": "subject.overrides",
}
_SURFACES: Final = ("interaction", "orchestration", "tool")


def untold_axes(environment: Environment, suite: Suite, catalog: PlanCatalog) -> Iterator[Problem]:
    """A warning for each axis that `suite` varies and a target that it asks is not told. Total."""
    told = {name: _told(environment, name) for name in _asked(suite, environment.bindings.targets)}
    for axis, wanted in _varied(suite, catalog):
        deaf = {name: lacking for name, heard in told.items() if (lacking := _lacking(heard, wanted))}
        # Words change no decision, so a surface without words is none the worse; but somebody must hear them.
        if axis == "phrasing" and len(deaf) < len(told):
            continue
        for name, lacking in deaf.items():
            yield _problem(environment, name, suite=suite, axis=axis, lacking=lacking)


def _problem(environment: Environment, target: str, *, suite: Suite, axis: str, lacking: list[str]) -> Problem:
    where = f"bindings.targets.{target}"
    placeholders = listed([f"{{{one}}}" for one in lacking], words_max=3)
    return problem_at(
        environment.positions.of_key("bindings", "targets", target),
        code="axis-not-told",
        message=f"{where}: the suite {suite.name} varies {axis}, and no arrange, request, header or url tells the app: "
        f"{placeholders} stands nowhere",
        hint="write it where the app reads it, or leave the axis out of the suite: an app that is not told looks wrong",
        severity="warning",
    )


def _told(environment: Environment, target: str) -> set[str] | None:
    """Every placeholder that is sent to a target; None where the whole request is: without `request`, too."""
    bindings = environment.raw["bindings"]
    targets = bindings.get("targets") if isinstance(bindings, dict) else None
    written = targets.get(target) if isinstance(targets, dict) else None
    one = environment.bindings.targets[target]
    if one.driver not in _TEMPLATED or one.request is None or not isinstance(written, dict):
        return None
    texts = (text for part in _TOLD_IN for _, text in strings_in(written.get(part)))
    return {placeholder for text in texts for placeholder in _PLACEHOLDER.findall(text)}


def _lacking(told: set[str] | None, wanted: Iterable[str]) -> list[str]:
    return [] if told is None else [one for one in wanted if not _holds(told, one)]


def _asked(suite: Suite, targets: Mapping[str, Target]) -> list[str]:
    """Names of the targets that answer for the suite's surfaces."""
    spec = suite.axis("surface")
    surfaces: Iterable[str] = ("default",)
    if spec is not None and spec.word == "all":
        surfaces = _SURFACES
    elif spec is not None and spec.values:
        surfaces = [str(value) for value in spec.values]
    found = [surface if surface in targets else "default" for surface in surfaces]
    return [name for name in dict.fromkeys(found) if name in targets]


def _holds(told: set[str], wanted: str) -> bool:
    """`{subject.usage}` tells of every limit, `{subject.properties}` of everything about the subject."""
    steps = wanted.split(".")
    wider = {".".join(steps[:count]) for count in range(2, len(steps))}
    return bool(told & {wanted, "request", steps[0], f"{steps[0]}.properties", *wider})


def _varied(suite: Suite, catalog: PlanCatalog) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each axis with more than one value, and the placeholders that say which value it is."""
    capabilities = catalog.capabilities.values()
    there = {
        "addon": bool(catalog.addons),
        "consent": any(capability.scopes for capability in capabilities),
        "state": _several(suite, "state", len(catalog.states) + 1),
        "plan": _several(suite, "plan", len(catalog.plans)),
    }
    for axis, placeholder in _SUBJECT.items():
        if there.get(axis, True) and (axis in ("plan", "state") or _varies(suite, axis)):
            yield axis, (placeholder,)
    limits = dict.fromkeys(limit for capability in capabilities for limit in capability.consumes)
    if _varies(suite, "usage") and limits:
        yield "usage", tuple(f"subject.usage.{limit}" for limit in limits)
    settings = dict.fromkeys(setting for capability in capabilities for setting in capability.uses)
    if _varies(suite, "setting") and settings:
        yield "setting", tuple(f"resource.{setting}" for setting in settings)
    if _varies(suite, "cost") and limits:
        yield "cost", tuple(f"context.cost.{limit}" for limit in limits)
    if _varies(suite, "phrasing"):
        yield "phrasing", ("context.phrasing",)


def _several(suite: Suite, axis: str, count: int) -> bool:
    spec = suite.axis(axis)
    if spec is None or spec.word == "all":
        return count > 1
    return spec.word == "all+unknown" or len(set(spec.values)) > 1


def _varies(suite: Suite, axis: str) -> bool:
    spec = suite.axis(axis)
    if spec is None:
        return False
    return spec.file is not None or spec.word in ("boundary", "each", "all", "more") or _unusual(axis, spec.values)


def _unusual(axis: str, values: tuple[str | int | bool | None, ...]) -> bool:
    usual: tuple[str | int | bool | None, ...] = {"quantity": (1,), "linked": (True,)}.get(axis, ())
    return bool(values) and values != usual
