"""Which oracle a command asks: that of an environment, or that of a catalog by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plangate.errors import InputError

if TYPE_CHECKING:
    from plangate.documents.environment import Environment
    from plangate.documents.workspace import Workspace
    from plangate.entitlements.oracle import Oracle

__all__ = ["catalog_oracle", "environment_oracle"]


def environment_oracle(workspace: Workspace, name: str, *, catalog: str | None = None) -> Oracle:
    """The oracle for the plan catalog that environment `name` pins, tightened by its policy.

    `catalog` chooses among several. Raises InputError: no such environment or catalog, `several-catalogs`.
    """
    from plangate.entitlements.oracle import Oracle

    environment = workspace.environment(name)
    chosen = catalog or _only_catalog(environment)
    if chosen not in environment.release.plans:
        raise InputError(
            f"environment {name} pins no plan catalog {chosen!r}",
            code="unknown-plan-catalog",
            where=str(environment.positions.of("release", "plans")),
            hint=f"it pins: {', '.join(environment.release.plans)}",
        )
    return Oracle.of(
        workspace.catalog(chosen, environment.release.plans[chosen]),
        environment.bindings.policy,
        environment_positions=environment.positions,
    )


def catalog_oracle(workspace: Workspace, name: str, version: str) -> Oracle:
    """The oracle for one version of a catalog, tightened by nothing. Raises InputError where there is none such."""
    from plangate.entitlements.oracle import Oracle

    return Oracle.of(workspace.catalog(name, version))


def _only_catalog(environment: Environment) -> str:
    names = list(environment.release.plans)
    if len(names) == 1:
        return names[0]
    raise InputError(
        f"environment {environment.name} pins {len(names)} plan catalogs",
        code="several-catalogs",
        where=str(environment.positions.of("release", "plans")),
        hint=f"choose one with --catalog: {', '.join(names)}",
    )
