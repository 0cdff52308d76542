"""Where app, data and identity may be: data classes, regions, who owns an identity (rule P4; T7, T13, P3, P18)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from plangate.documents.catalog import PlanCatalog
from plangate.documents.environment import Environment, Tier
from plangate.documents.positions import Pointer
from plangate.documents.problems import problem_at, strings_in
from plangate.documents.prompt import Prompt
from plangate.documents.wording import dotted, listed, shown
from plangate.errors import Problem

__all__ = ["identity_problems", "placement_problems"]

_TENANT: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONG_LIVED: Final = re.compile(r"(?i)client_?secret|password|(?:account|access)_?key|connection_?string")
_OWNERS: Final = {
    "saas": ("publisher",),
    "container": ("customer",),
    "virtual_machine": ("customer",),
    "managed_application": ("publisher", "customer"),
}
"""Who owns the app's identity, by offer model (requirement T13)."""


def placement_problems(environment: Environment) -> Iterator[Problem]:
    """Production data outside production and test data in it; app or data where policy.regions forbids it. Total."""
    bindings, positions = environment.bindings, environment.positions
    wrong = "test" if environment.tier is Tier.PRODUCTION else "production"
    for index, source in enumerate(bindings.data):
        if source.data_class == wrong:
            yield problem_at(
                positions.of("bindings", "data", index, "class"),
                code="data-in-wrong-place",
                message=f"{environment.name} ({environment.tier.value}) reads {source.name}, which is {wrong} data",
                hint="bind another source, or say what this one really holds",
            )
    allowed = bindings.policy.regions
    if not allowed:
        return
    places: list[tuple[str, str | None, Pointer]] = [(environment.name, bindings.region, ("bindings", "region"))]
    places += [
        (source.name, source.region, ("bindings", "data", index, "region"))
        for index, source in enumerate(bindings.data)
        if source.region is not None
    ]
    for name, region, pointer in places:
        if region is None:
            yield problem_at(
                positions.of("bindings", "policy", "regions"),
                code="region-not-said",
                message=f"{name} may be in {listed(allowed)} only, and bindings.region does not say where it is",
                hint="add bindings.region",
            )
        elif region not in allowed:
            yield problem_at(
                positions.of(*pointer),
                code="outside-regions",
                message=f"{name} is in {shown(region)}, and may be in {listed(allowed)} only",
                hint="move it, or change bindings.policy.regions",
            )


def identity_problems(
    environment: Environment, catalogs: Collection[PlanCatalog], prompts: Collection[tuple[str, Prompt]]
) -> Iterator[Problem]:
    """An identity whose owner the offer does not allow; secrets where a managed one would do; a tenant that is written
    into a target or a prompt. Total."""
    identity, positions = environment.bindings.identity, environment.positions
    owner = identity.get("owner")
    for catalog in catalogs:
        owners = _OWNERS.get(catalog.offer.model, ())
        if owner is not None and owners and owner not in owners:
            yield problem_at(
                positions.of("bindings", "identity", "owner"),
                code="identity-owner",
                message=f"the identity belongs to {shown(owner)}; of an offer as {catalog.offer.model} it is the "
                f"{' or '.join(owners)}'s",
                hint="correct bindings.identity.owner, or offer.model of the catalog",
            )
    if environment.tier is Tier.PRODUCTION and identity.get("managed") is not True:
        for name in environment.bindings.secrets:
            if _LONG_LIVED.search(name):
                yield problem_at(
                    positions.of_key("bindings", "secrets", name),
                    code="long-lived-secret",
                    message=f"bindings.secrets.{name}: a secret that lives long, where a managed identity may do",
                    hint="use a managed identity and say bindings.identity.managed: true, or keep it and ignore this",
                    severity="warning",
                )
    yield from _hard_coded(environment, prompts)


def _hard_coded(environment: Environment, prompts: Collection[tuple[str, Prompt]]) -> Iterator[Problem]:
    tenants = {text.lower() for _, text in strings_in(dict(environment.bindings.identity)) if _TENANT.fullmatch(text)}
    for pointer, text in strings_in(environment.raw):
        if pointer[:2] != ("bindings", "identity") and tenants & {one.lower() for one in _TENANT.findall(text)}:
            yield problem_at(
                environment.positions.of(*pointer),
                code="hard-coded-tenant",
                message=f"{dotted(pointer)}: repeats an id of bindings.identity",
                hint="let the app learn it from its own configuration: another tenant has another one",
                severity="warning",
            )
    for path, prompt in prompts:
        if tenants & {one.lower() for one in _TENANT.findall(prompt.template)}:
            yield Problem(
                path=path,
                code="hard-coded-tenant",
                message=f"the prompt names a tenant of {environment.name}",
                hint="let the app put it in: a prompt is the same for every tenant",
                severity="warning",
            )
