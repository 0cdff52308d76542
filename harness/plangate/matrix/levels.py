"""What a suite asks of each axis, as values of the catalog: words resolved, lists checked, nothing per plan yet."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from plangate.documents.catalog import SUBSCRIBED, PlanCatalog
from plangate.documents.suite import AxisSpec, Suite
from plangate.errors import InputError
from plangate.matrix.boundaries import CATALOG_COST, COST_MORE, OVERRIDES, addon_sets

__all__ = ["Levels", "levels_of", "unknown_name"]

SURFACES = ("interaction", "orchestration", "tool")
"""Where a gate can be tried: API, agent, the tool call itself (domain.md 1)."""

_MARKETPLACE_STATES = (SUBSCRIBED, "PendingFulfillmentStart", "Suspended", "Unsubscribed")
_UNKNOWN = {"plan": "unknown-plan", "state": "UnknownState", "capability": "unknown.capability"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The values of every axis that do not depend on other axes, and which of the others are at their boundaries."""

    plans: tuple[str, ...]
    states: tuple[str, ...]
    capabilities: tuple[str, ...]
    surfaces: tuple[str, ...]
    addons: tuple[tuple[str, ...], ...]
    quantities: tuple[int | None, ...]
    """None = a flat rate without seats."""
    linked: tuple[bool, ...]
    overrides: tuple[str, ...]
    costs: tuple[str, ...]
    """What a capability that consumes something is asked with; any other is asked at the catalog's cost."""
    phrasings: tuple[str | None, ...]
    usage_at_boundary: bool
    setting_at_boundary: bool
    consent_at_boundary: bool

    @property
    def addon_names(self) -> tuple[str, ...]:
        """Values of the addon axis as results name them: `none`, `<addon>`, `<a>+<b>`."""
        return tuple("+".join(chosen) or "none" for chosen in self.addons)


def levels_of(suite: Suite, *, catalog: PlanCatalog, surfaces: Collection[str]) -> Levels:
    """The values `suite` spans. `surfaces` are the names of the environment's targets.

    Raises InputError: `surface-without-target`, `unknown-axis-value`, `unknown-axis-word`, `ambiguous-axis-value`.
    """
    asked = _Asked(suite)
    levels = Levels(
        plans=asked.names("plan", known=catalog.plans),
        states=asked.names("state", known=_states(catalog), also=_MARKETPLACE_STATES),
        capabilities=asked.names("capability", known=catalog.capabilities),
        surfaces=_surfaces(asked, targets=surfaces),
        addons=addon_sets(asked.word("addon", ("none", "each", "all")), addons=catalog.addons),
        quantities=asked.integers("quantity"),
        linked=asked.booleans("linked"),
        overrides=OVERRIDES if asked.word("override", ("none", "boundary")) == "boundary" else OVERRIDES[:1],
        costs=asked.costs(),
        phrasings=asked.phrasings(),
        usage_at_boundary=asked.word("usage", ("zero", "boundary")) == "boundary",
        setting_at_boundary=asked.word("setting", ("plan", "boundary")) == "boundary",
        consent_at_boundary=asked.word("consent", ("full", "boundary")) == "boundary",
    )
    if len(set(levels.addon_names)) != len(levels.addons):
        raise asked.error("addon", "two sets of add-ons have one name", code="ambiguous-axis-value", hint=_RENAME)
    return levels


_RENAME = "rename the add-on: `none` and `+` have a meaning here"


def unknown_name(axis: str, *, known: Collection[str]) -> str:
    """The name that `all+unknown` adds to an axis: one the catalog does not have."""
    name = _UNKNOWN[axis]
    while name in known:
        name += "-x"
    return name


def _states(catalog: PlanCatalog) -> tuple[str, ...]:
    return tuple(dict.fromkeys((SUBSCRIBED, *catalog.states)))


def _surfaces(asked: _Asked, *, targets: Collection[str]) -> tuple[str, ...]:
    spec = asked.spec("surface")
    if spec.word == "all":
        return tuple(name for name in SURFACES if name in targets or "default" in targets)
    chosen = tuple(dict.fromkeys(map(str, spec.values)))
    if spec.word == "default" or "surface" not in asked.suite.axes:
        chosen = ("default",)
    for name in chosen:
        if name not in targets and not (name in SURFACES and "default" in targets):
            raise asked.error(
                "surface",
                f"surface {name!r} has no target in this environment (targets: {', '.join(sorted(targets)) or 'none'})",
                code="surface-without-target",
                hint=f"add bindings.targets.{name} or bindings.targets.default, or leave the surface out of the suite",
            )
    return chosen


class _Asked:
    """A suite's axes, read with the suite's positions at hand."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    def spec(self, axis: str) -> AxisSpec:
        return self.suite.axis(axis) or AxisSpec()

    def error(self, axis: str, message: str, *, code: str, hint: str = "") -> InputError:
        where = self.suite.positions.of("matrix", "axes", axis)
        return InputError(f"matrix.axes.{axis}: {message}", code=code, where=str(where), hint=hint)

    def word(self, axis: str, words: tuple[str, ...]) -> str:
        """The word of an axis that takes only words; the first is what is left unsaid."""
        spec = self.suite.axis(axis)
        if spec is None:
            return words[0]
        word = spec.word if spec.word is not None else spec.values[0] if len(spec.values) == 1 else None
        if word not in words:
            raise self.error(axis, f"must be one of {', '.join(words)}", code="unknown-axis-word")
        return str(word)

    def names(self, axis: str, *, known: Collection[str], also: Iterable[str] = ()) -> tuple[str, ...]:
        """All names, all and one unknown, or a checked list. `also` may be listed though `all` leaves them out."""
        spec = self.spec(axis)
        unknown = unknown_name(axis, known={*known, *also})
        if spec.word in ("all", "all+unknown") or axis not in self.suite.axes:
            return (*known, unknown) if spec.word == "all+unknown" else tuple(known)
        if spec.word is not None:
            raise self.error(axis, "must be all, all+unknown or a list", code="unknown-axis-word")
        legal = {*known, *also, unknown}
        for name in map(str, spec.values):
            if name not in legal:
                near = difflib.get_close_matches(name, sorted(legal), n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known)[:20])}"
                raise self.error(axis, f"the catalog has no {axis} {name!r}", code="unknown-axis-value", hint=hint)
        return tuple(dict.fromkeys(map(str, spec.values)))

    def integers(self, axis: str) -> tuple[int | None, ...]:
        """A list of quantities, each at least 1 or null."""
        if axis not in self.suite.axes:
            return (1,)
        values = self.spec(axis).values
        numbers = [value for value in values if value is None or (type(value) is int and value >= 1)]
        if len(numbers) < len(values) or self.spec(axis).word is not None:
            raise self.error(axis, "must be a list of integers from 1, or null", code="unknown-axis-value")
        return tuple(dict.fromkeys(numbers))

    def booleans(self, axis: str) -> tuple[bool, ...]:
        """A list of true and false."""
        if axis not in self.suite.axes:
            return (True,)
        values = self.spec(axis).values
        chosen = tuple(dict.fromkeys(value for value in values if isinstance(value, bool)))
        if any(not isinstance(value, bool) for value in values) or self.spec(axis).word is not None:
            raise self.error(axis, "must be a list of true and false", code="unknown-axis-value")
        return chosen

    def costs(self) -> tuple[str, ...]:
        """`catalog`; `more` asks for both; a list for what it names."""
        spec, known = self.spec("cost"), (CATALOG_COST, COST_MORE)
        if "cost" not in self.suite.axes or spec.word == CATALOG_COST:
            return known[:1]
        chosen = known if spec.word == COST_MORE else tuple(dict.fromkeys(map(str, spec.values)))
        if not chosen or not set(chosen) <= set(known):
            raise self.error("cost", "must be catalog, more or a list of the two", code="unknown-axis-word")
        return chosen

    def phrasings(self) -> tuple[str | None, ...]:
        """The one value null, or each distinct line of the suite's file."""
        spec = self.spec("phrasing")
        if spec.file is not None:
            return tuple(dict.fromkeys(self.suite.phrasings))
        if "phrasing" not in self.suite.axes or spec.word == "none":
            return (None,)
        raise self.error("phrasing", "must be none or {file: ...}", code="unknown-axis-word")
