"""A workspace as a whole: every document, and what they say of each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from plangate.documents.axis_rules import untold_axes
from plangate.documents.catalog import SUBSCRIBED, PlanCatalog
from plangate.documents.catalog_rules import resolved_limits
from plangate.documents.document import Document
from plangate.documents.environment import Environment
from plangate.documents.files import TRUST_PATH, document_path, list_documents
from plangate.documents.kinds import Kind
from plangate.documents.placement_rules import identity_problems, placement_problems
from plangate.documents.positions import Position
from plangate.documents.problems import capped, problem_at, unknown_key, unknown_value
from plangate.documents.prompt import Prompt
from plangate.documents.requirements import layer_problems
from plangate.documents.suite import Suite
from plangate.documents.wording import did_you_mean, listed, shown
from plangate.errors import InputError, Problem

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace

__all__ = ["workspace_problems"]

_Models = dict[tuple[str, ...], Document]


def workspace_problems(workspace: Workspace) -> list[Problem]:
    """Everything that is wrong with the workspace's documents, alone and together, sorted by place."""
    problems: set[Problem] = set()
    tables: dict[Kind, _Models] = {}
    for kind in (Kind.ENVIRONMENT, Kind.PLAN_CATALOG, Kind.PROMPT, Kind.SUITE):
        tables[kind] = {}
        for names in list_documents(workspace.root, kind):
            if document := _read(workspace, problems, kind, *names):
                tables[kind][names] = document
    for kept in workspace.kept_suites():
        if document := _read(workspace, problems, Kind.SUITE, *kept):
            tables[Kind.SUITE][kept] = document
    if (workspace.root / TRUST_PATH).exists():
        _read(workspace, problems, Kind.TRUST)
    problems.update(_names_differ(tables))
    problems.update(_phrasings(workspace, tables[Kind.SUITE]))
    for document in tables[Kind.ENVIRONMENT].values():
        if document.model is not None:
            problems.update(capped(_Together(tables, document.model).problems()))
    if not tables[Kind.ENVIRONMENT]:
        problems.add(_no_environment())
    return sorted(problems)


def _read(workspace: Workspace, problems: set[Problem], kind: Kind, *names: str) -> Document | None:
    try:
        document = workspace.document(kind, *names)
    except InputError as error:
        problems.update(error.problems)
        return None
    problems.update(document.problems)
    return document


def _no_environment() -> Problem:
    return Problem(
        path="envs", code="no-environment", message="there is no environment", hint="put one at envs/<name>.yaml"
    )


def _names_differ(tables: Mapping[Kind, _Models]) -> Iterator[Problem]:
    """`metadata` says another name or version than the place where the file lies."""
    for table in tables.values():
        for names, document in table.items():
            if document.model is None:
                continue
            for field, expected in zip(("name", "version"), names, strict=False):
                found = str(getattr(document.model, field))
                if found != expected:
                    yield problem_at(
                        document.model.positions.of("metadata", field),
                        code="name-differs",
                        message=f"metadata.{field} is {shown(found)}, the file's place says {shown(expected)}",
                        hint=f"write {expected}, or move the file",
                    )


def _phrasings(workspace: Workspace, suites: _Models) -> Iterator[Problem]:
    for (name, *version), document in suites.items():
        if not document.errors:
            try:
                workspace.suite(name, int(version[0]) if version else None)
            except InputError as error:
                yield from error.problems


class _Together:
    """One environment, and the documents that its release pins."""

    def __init__(self, tables: Mapping[Kind, _Models], environment: Environment) -> None:
        self._tables = tables
        self._environment = environment
        self._catalogs: dict[str, PlanCatalog] = {}
        self._suites: dict[str, Suite] = {}
        self._prompts: list[tuple[str, Prompt]] = []

    def problems(self) -> Iterator[Problem]:
        """Pins that lead nowhere, names that the pinned documents do not have, surfaces without a target."""
        release = self._environment.release
        yield from self._pins(Kind.PLAN_CATALOG, "plans", release.plans)
        yield from self._pins(Kind.PROMPT, "prompts", release.prompts)
        yield from self._suite_pins()
        yield from self._policy()
        yield from self._origins()
        yield from placement_problems(self._environment)
        yield from identity_problems(self._environment, self._catalogs.values(), self._prompts)
        for suite in self._suites.values():
            yield from self._surfaces(suite)
            yield from layer_problems(self._environment, suite)
            yield from self._catalog_names(suite)

    def _pins(self, kind: Kind, section: str, pins: Mapping[str, str]) -> Iterator[Problem]:
        table = self._tables[kind]
        for name, version in pins.items():
            document = table.get((name, version))
            if document is None:
                versions = [names[1] for names in table if names[0] == name]
                yield self._no_pin(section, name, version, versions, {names[0] for names in table})
            elif kind is Kind.PLAN_CATALOG and document.model is not None:
                self._catalogs[name] = document.model
            elif kind is Kind.PROMPT and document.model is not None:
                self._prompts.append((document.path, document.model))

    def _suite_pins(self) -> Iterator[Problem]:
        table = self._tables[Kind.SUITE]
        for name, version in self._environment.release.suites.items():
            document = table.get((name,))
            if document is None or document.model is None or document.model.version != version:
                document = table.get((name, str(version)), document)
            if document is None:
                yield self._no_pin("suites", name, str(version), [], {names[0] for names in table})
            elif document.model is not None:
                self._suites[name] = document.model
                if document.model.version != version:
                    yield self._no_suite(name, version, current=document.model.version)

    def _no_suite(self, name: str, version: int, *, current: int) -> Problem:
        return problem_at(
            self._place("release", "suites", name),
            code="pin-not-found",
            message=f"release.suites.{name}: version {version} is nowhere, and {current} is in evals/{name}.yaml",
            hint=f"restore it from version control as {document_path(Kind.SUITE, name, str(version))}",
        )

    def _no_pin(self, section: str, name: str, version: str, versions: list[str], known: Iterable[str]) -> Problem:
        what = f"there is no version {shown(version)} of it" if versions else "there is no document of that name"
        hint = f"there are: {listed(versions)}" if versions else did_you_mean(name, known)
        return problem_at(
            self._place("release", section, name),
            code="pin-not-found",
            message=f"release.{section}.{name}: {what}",
            hint=hint,
        )

    def _policy(self) -> Iterator[Problem]:
        policy, positions = self._environment.bindings.policy, self._environment.positions
        if not self._catalogs or len(self._catalogs) < len(self._environment.release.plans):
            return
        known = {name for catalog in self._catalogs.values() for name in catalog.capabilities}
        for index, name in enumerate(policy.denied):
            if name not in known:
                yield unknown_value(positions, ("bindings", "policy", "denied", index), "capability", name, known)
        for name in policy.lanes:
            if name not in known:
                yield unknown_key(positions, ("bindings", "policy", "lanes", name), "capability", known)

    def _origins(self) -> Iterator[Problem]:
        known = [names[0] for names in self._tables[Kind.ENVIRONMENT]]
        for name in self._environment.promotion.sources:
            if name not in known or name == self._environment.name:
                others = [other for other in known if other != self._environment.name]
                yield problem_at(
                    self._place("promotion", "from"),
                    code="unknown-name",
                    message=f"promotion.from: {shown(name)} is no other environment",
                    hint=did_you_mean(name, others) or f"there are: {listed(others)}",
                )

    def _surfaces(self, suite: Suite) -> Iterator[Problem]:
        targets = self._environment.bindings.targets
        spec = suite.axis("surface")
        if "default" in targets or (spec and spec.word == "all"):
            return
        for index, surface in enumerate(spec.values if spec and spec.values else ("default",)):
            if surface not in targets:
                yield problem_at(
                    suite.positions.of("matrix", "axes", "surface", index),
                    code="surface-without-target",
                    message=f"{self._environment.name} has no target for the surface {shown(surface)}",
                    hint=f"add bindings.targets.{surface} or .default to envs/{self._environment.name}.yaml",
                )

    def _catalog_names(self, suite: Suite) -> Iterator[Problem]:
        """Names that the suite lists itself must be names of the catalog it spans."""
        plans = self._environment.release.plans
        if suite.catalog is not None and suite.catalog not in plans:
            yield unknown_value(suite.positions, ("matrix", "catalog"), "catalog", suite.catalog, plans)
            return
        if suite.catalog is None and len(plans) != 1:
            yield _catalog_unclear(suite, plans)
            return
        catalog = self._catalogs.get(suite.catalog or next(iter(plans)))
        if catalog is None:
            return
        yield from untold_axes(self._environment, suite, catalog)
        yield from _seats_without_number(suite, catalog)
        for axis, known in _axis_names(catalog).items():
            spec = suite.axis(axis)
            for index, name in enumerate(spec.values if spec else ()):
                if name not in known:
                    yield unknown_value(suite.positions, ("matrix", "axes", axis, index), axis, str(name), known)
            for number, entry in enumerate(suite.exclude):
                for name in entry.get(axis, ()):
                    if name not in known and name not in _ALWAYS:
                        yield unknown_value(suite.positions, ("matrix", "exclude", number, axis), axis, name, known)

    def _place(self, *pointer: str) -> Position:
        return self._environment.positions.of(*pointer)


_ALWAYS: Final = frozenset({"*", "unknown-plan", "UnknownState", "unknown.capability"})


def _axis_names(catalog: PlanCatalog) -> dict[str, list[str]]:
    return {
        "plan": list(catalog.plans),
        "state": [SUBSCRIBED, *catalog.states],
        "capability": list(catalog.capabilities),
    }


def _seats_without_number(suite: Suite, catalog: PlanCatalog) -> Iterator[Problem]:
    """A flat rate (quantity null) has no seats that a limit could count."""
    spec = suite.axis("quantity")
    if spec is None or None not in spec.values:
        return
    asked = suite.axis("plan")
    names = catalog.plans if asked is None or asked.word else [str(name) for name in asked.values]
    counted = [
        f"plans.{plan.name}.limits.{limit}"
        for plan in catalog.plans.values()
        if plan.name in names
        for limit, value in resolved_limits(catalog, plan).items()
        if value.per_quantity
    ]
    if counted:
        example = listed(counted, words_max=3)
        yield problem_at(
            suite.positions.of("matrix", "axes", "quantity", spec.values.index(None)),
            code="quantity-unclear",
            message=f"matrix.axes.quantity: null is a flat rate, and limits count seats: {example}",
            hint="write numbers of seats, or list plans that are sold at a flat rate",
        )


def _catalog_unclear(suite: Suite, plans: Mapping[str, str]) -> Problem:
    return problem_at(
        suite.positions.of("matrix"),
        code="catalog-unclear",
        message=f"matrix.catalog: the release pins {len(plans)} plan catalogs; the suite must say which",
        hint=f"write catalog: with one of {listed(plans)}",
    )
