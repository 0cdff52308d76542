"""The requirements that a suite may say it covers, and what it must ask so that it shows one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pkgutil import get_data
from types import MappingProxyType
from typing import Any, Final

from plangate.documents.environment import Environment, Target
from plangate.documents.problems import problem_at
from plangate.documents.suite import Suite
from plangate.documents.wording import did_you_mean, dotted, listed, shown
from plangate.errors import Problem

__all__ = ["JUDGED_TYPES", "REQUIREMENTS", "Requirement", "covers_problems", "layer_problems", "shown_by"]

JUDGED_TYPES: Final = ("gating",)
"""The types of suite that this version can judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One line of what a seller must be able to show."""

    id: str
    text: str
    verifier: str
    """What checks it in full, as the requirements name it: MTX, EMU, ..."""
    fit: str
    """A = a local run decides it; P = only a part of it can be checked here."""
    types: tuple[str, ...]
    """The types of suite that can show it; empty = no suite of this version can."""
    needs: tuple[str, ...] = ()
    """What a suite must ask so that it shows it: an axis at its widest, `unknown`, `repeats` or `exhaustive`."""
    open: str = ""
    """What even such a suite leaves open; empty = nothing."""


def _read() -> dict[str, Requirement]:
    data = get_data("plangate.documents", "requirements.json")
    if data is None:
        raise FileNotFoundError("the list of requirements is not part of this installation")
    return {raw["id"]: _requirement(raw) for raw in json.loads(data)}


def _requirement(raw: dict[str, Any]) -> Requirement:
    shows = raw.get("shown_by", {})
    how = shows.get("gating", {})
    return Requirement(
        id=raw["id"],
        text=raw["text"],
        verifier=raw["verifier"],
        fit=raw["fit"],
        types=tuple(shows),
        needs=tuple(how.get("needs", ())),
        open=how.get("open", ""),
    )


REQUIREMENTS: Final[Mapping[str, Requirement]] = MappingProxyType(_read())
"""Id -> requirement, in the order of the requirements."""

_ASKS: Final[dict[str, str]] = {
    "plan": "plan: all",
    "state": "state: all",
    "capability": "capability: all",
    "surface": "surface: all",
    "usage": "usage: boundary",
    "setting": "setting: boundary",
    "consent": "consent: boundary",
    "linked": "linked: [true, false]",
    "phrasing": "phrasing: {file: ...}",
    "unknown": "capability: all+unknown",
    "repeats": "determinism.repeats: 2 or more",
    "exhaustive": "coverage: exhaustive",
}


def shown_by(suite: Suite, *, targets: Mapping[str, Target]) -> tuple[str, ...]:
    """The requirements under `covers` that a run of this suite at these targets shows where it passes."""
    claimed = [name for name in suite.covers if _complaint(suite, name) is None]
    apart = _three_doors(targets)
    return tuple(name for name in claimed if apart or "surface" not in REQUIREMENTS[name].needs)


def layer_problems(environment: Environment, suite: Suite) -> Iterator[Problem]:
    """A warning where an environment gates on a suite that claims each layer, and one door serves several. Total."""
    targets = environment.bindings.targets
    gated = suite.name in {gate.suite for gate in environment.gates if gate.mode != "off"}
    lost = [
        name
        for name in suite.covers
        if _complaint(suite, name) is None and name not in shown_by(suite, targets=targets)
    ]
    if gated and lost:
        yield problem_at(
            environment.positions.of("bindings", "targets"),
            code="requirement-not-asked",
            message=f"bindings.targets: no report will name {listed(lost)} of the suite {suite.name}: "
            "several surfaces are reached through one door",
            hint="give interaction, orchestration and tool targets with an object, address or request of their own",
            severity="warning",
        )


def _three_doors(targets: Mapping[str, Target]) -> bool:
    """Whether each layer is reached in a way of its own; the address may be one (`url: target:NAME`)."""
    names = [layer if layer in targets else "default" for layer in sorted(_LAYERS)]
    doors: list[object] = []
    for target in (targets[name] for name in names if name in targets):
        # Headers and arrange say for whom it is asked, not where.
        door = (target.driver, target.object, target.command, _address(targets, target), target.request, target.options)
        if door not in doors:
            doors.append(door)
    return len(doors) == len(_LAYERS)


def _address(targets: Mapping[str, Target], target: Target) -> object:
    name = (target.url or "").removeprefix("target:")
    shared = targets.get(name) if target.url and target.url.startswith("target:") else None
    one = shared or target
    return one.url or one.launch


def covers_problems(suite: Suite) -> Iterator[Problem]:
    """Ids under `covers` that nobody knows, or that this suite cannot show (rule R13), or does not ask. Total."""
    for index, name in enumerate(suite.covers):
        if complaint := _complaint(suite, name):
            code, message, hint = complaint
            yield problem_at(
                suite.positions.of("covers", index),
                code=code,
                message=f"{dotted(('covers', index))}: {message}",
                hint=hint,
                severity="warning" if code == "requirement-not-asked" else "error",
            )


def _complaint(suite: Suite, name: str) -> tuple[str, str, str] | None:
    """Code, message and hint; None where the suite shows it."""
    requirement = REQUIREMENTS.get(name)
    if requirement is None:
        hint = did_you_mean(name, REQUIREMENTS) or f"docs/reference/requirements.md has all {len(REQUIREMENTS)}"
        return "unknown-requirement", f"there is no requirement {shown(name)}", hint
    if suite.type not in requirement.types:
        message = f"a {suite.type} suite does not show {name}, which {requirement.verifier} would"
        return "requirement-not-shown", message, f"remove it; it says: {requirement.text}"
    message = f"no report will name {name}: this suite does not ask what shows it"
    if lacking := [_ASKS[need] for need in requirement.needs if not _asks(suite, need)]:
        return "requirement-not-asked", message, f"write {', '.join(lacking)}, or remove {name}"
    if dropping := [number for number in range(len(suite.exclude)) if _drops(suite, number, requirement.needs)]:
        rules = listed([f"matrix.exclude.{number}" for number in dropping])
        return "requirement-not-asked", f"{message}, since it excludes it", f"remove {rules}, or remove {name}"
    return None


def _asks(suite: Suite, need: str) -> bool:
    if need in _WHOLE:
        return _WHOLE[need](suite)
    spec = suite.axis(need)
    if spec is None:
        return False
    if need in ("plan", "state", "capability"):
        return spec.word in ("all", "all+unknown")
    return spec.word == "boundary" or spec.file is not None or (need == "linked" and set(spec.values) == {True, False})


def _drops(suite: Suite, number: int, needs: tuple[str, ...]) -> bool:
    """Whether a rule of `exclude` can take a value of a needed axis away.

    It cannot where it is about a part of another axis, of which the suite asks a value that no rule is about.
    """
    needed = {_AXIS_OF.get(need, need) for need in needs}
    rule = {axis: values for axis, values in suite.exclude[number].items() if "*" not in values}
    others = rule.keys() - needed
    return bool(rule.keys() & needed) and not any(_never_excluded(suite, axis) for axis in others)


def _never_excluded(suite: Suite, axis: str) -> bool:
    spec = suite.axis(axis)
    asked = spec.values if spec is not None else ()
    if spec is not None and axis == "surface" and spec.word:
        asked = tuple(_LAYERS) if spec.word == "all" else (spec.word,)
    texts = {
        "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value) for value in asked
    }
    return bool(texts.difference(*(rule.get(axis, ()) for rule in suite.exclude)))


def _every_layer(suite: Suite) -> bool:
    spec = suite.axis("surface")
    return spec is not None and (spec.word == "all" or set(spec.values) >= _LAYERS)


def _unknown_asked(suite: Suite) -> bool:
    spec = suite.axis("capability")
    return spec is not None and spec.word == "all+unknown"


_AXIS_OF: Final = {"unknown": "capability"}
_LAYERS: Final = frozenset({"interaction", "orchestration", "tool"})
_WHOLE: Final[dict[str, Callable[[Suite], bool]]] = {
    "exhaustive": lambda suite: suite.strength is None,
    "repeats": lambda suite: suite.determinism.repeats > 1,
    "surface": _every_layer,
    "unknown": _unknown_asked,
}
