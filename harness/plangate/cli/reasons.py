"""Law L4 over a workspace: which reasons the cells of the suites expect, for each catalog that an environment pins."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plangate.documents.catalog import PlanCatalog
    from plangate.documents.environment import Environment
    from plangate.documents.suite import Suite
    from plangate.documents.workspace import Workspace
    from plangate.matrix.expansion import Matrix

__all__ = ["CELLS_MAX", "PAIRS_MAX", "expected_reasons"]

CELLS_MAX = 50_000
PAIRS_MAX = 1_000
"""What a quick answer looks at: so many cells of one catalog, of so many pairs of a plan and a capability."""

_SURFACES = ("interaction", "orchestration", "tool")


def expected_reasons(
    workspace: Workspace, catalog: PlanCatalog, *, quick: bool
) -> tuple[Collection[str], list[Suite]] | None:
    """Reasons that some cell of some environment's suites expects of `catalog`, and those suites.

    Stops once all possible reasons are seen. None where that cannot be said: no environment pins the catalog, or
    `quick` and there is too much to look at. Raises InputError for suites that span no matrix.
    """
    from plangate.entitlements.coverage import possible_reasons

    if quick and len(catalog.plans) * len(catalog.capabilities) > PAIRS_MAX:
        return None
    spanned = list(_spanning(workspace, catalog))
    suites = [suite for _, suite in spanned]
    # Rows of a covering array take long to find: a quick look could never tell that no cell expects a reason.
    if quick and any(suite.strength is not None for suite in suites):
        for environment, suite in spanned:
            if suite.strength is None:
                _matrix(catalog, environment, suite)
        return None
    wanted = set(possible_reasons(catalog, suites=suites))
    seen: set[str] = set()
    left = CELLS_MAX
    for environment, suite in spanned:
        looked = 0
        for reason in islice(_reasons(catalog, environment, suite), left if quick else None):
            looked += 1
            seen.add(reason)
            if wanted <= seen:
                return seen, suites
        left -= looked
        if quick and left <= 0:
            return None
    return (seen, suites) if spanned else None


def _spanning(workspace: Workspace, catalog: PlanCatalog) -> Iterator[tuple[Environment, Suite]]:
    """Environments that pin this version of the catalog, with each of their suites over it; whole matrices first."""
    found: dict[object, tuple[Environment, Suite]] = {}
    for name in workspace.environment_names():
        environment = workspace.environment(name)
        if environment.release.plans.get(catalog.name) == catalog.version:
            for suite in map(workspace.suite, environment.release.suites):
                if suite.catalog in (None, catalog.name):
                    policy = environment.bindings.policy
                    same = (suite.name, policy.denied, tuple(policy.lanes), frozenset(environment.bindings.targets))
                    found.setdefault(same, (environment, suite))
    yield from sorted(found.values(), key=lambda pair: pair[1].strength is not None)


def _reasons(catalog: PlanCatalog, environment: Environment, suite: Suite) -> Iterator[str]:
    matrix = _matrix(catalog, environment, suite)
    return (matrix.oracle.decide(cell.subject, cell.request).reason for cell in matrix)


def _matrix(catalog: PlanCatalog, environment: Environment, suite: Suite) -> Matrix:
    from plangate.entitlements.oracle import Oracle
    from plangate.matrix.expansion import expand

    oracle = Oracle.of(catalog, environment.bindings.policy, environment_positions=environment.positions)
    targets = environment.bindings.targets
    surfaces = (*_SURFACES, "default") if "default" in targets else tuple(name for name in _SURFACES if name in targets)
    matrix = expand(suite, oracle, surfaces=surfaces)
    matrix.require_cells()
    return matrix
