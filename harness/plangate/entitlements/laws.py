"""The laws that hold for every plan catalog, decided by enumerating it, without an app (domain.md 2).

L1 total and L2 monotonic are here, L4 covered is in `coverage`; L3 closed, and L1 for limits, need no resolved plans
and are checked when the catalog is read (`documents.catalog_rules`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from plangate.documents.catalog import Exemption, PlanCatalog, PlanDeclaration
from plangate.documents.problems import problem_at
from plangate.documents.suite import Suite
from plangate.documents.wording import shown
from plangate.entitlements.coverage import uncovered_reasons, unused_exemptions
from plangate.entitlements.plans import ResolvedPlan, resolve
from plangate.entitlements.tiers import Loss, losses
from plangate.errors import Problem

__all__ = ["check"]


def check(
    catalog: PlanCatalog, *, covered: Collection[str] | None = None, suites: Sequence[Suite] | None = None
) -> list[Problem]:
    """What breaks a law in `catalog`, sorted by place.

    `covered` is every reason that some cell of `suites` expects; with it, reasons that no cell expects are warnings,
    and so are exemptions that excuse none of them (law L4). Raises InputError `extends-circle` or `unknown-name` for
    plans that cannot be resolved.
    """
    plans = resolve(catalog)
    problems = [*_total(catalog), *_repeated(catalog), *_monotonic(catalog, [plans[n] for n in _tiers(catalog)])]
    if covered is not None:
        problems += uncovered_reasons(catalog, covered, suites=suites)
        problems += unused_exemptions(catalog, covered, suites=suites)
    return sorted(problems)


def _total(catalog: PlanCatalog) -> Iterator[Problem]:
    """L1: of each plan and capability, one line says whether it is granted."""
    for plan in catalog.plans.values():
        for section, names in (("grants", plan.grants), ("revokes", plan.revokes)):
            yield from _listed_twice(catalog, plan, section, names)
        for index, capability in enumerate(plan.revokes):
            if capability in plan.grants:
                yield problem_at(
                    catalog.positions.of("plans", plan.name, "revokes", index),
                    code="grants-and-revokes",
                    message=f"plans.{plan.name}: grants and revokes {shown(capability)}",
                    hint="keep one of the two",
                )


def _listed_twice(
    catalog: PlanCatalog, plan: PlanDeclaration, section: str, names: tuple[str, ...]
) -> Iterator[Problem]:
    for name, times in Counter(names).items():
        if times > 1:
            second = names.index(name, names.index(name) + 1)
            yield problem_at(
                catalog.positions.of("plans", plan.name, section, second),
                code="duplicate-grant",
                message=f"plans.{plan.name}.{section}: lists {shown(name)} {times} times",
                hint="keep one of them",
            )


def _repeated(catalog: PlanCatalog) -> Iterator[Problem]:
    """L1, as warnings: lines that say of a capability what is so without them."""
    plans = resolve(catalog)
    for plan in catalog.plans.values():
        inherited = plans[plan.extends].grants if plan.extends else {}
        for index, name in enumerate(plan.grants):
            if name in inherited and name not in plan.revokes:
                yield problem_at(
                    catalog.positions.of("plans", plan.name, "grants", index),
                    code="grant-repeated",
                    message=f"plans.{plan.name}.grants: {shown(name)} is inherited from {inherited[name][1]} already",
                    hint="remove it here",
                    severity="warning",
                )
        for index, name in enumerate(plan.revokes):
            if name not in inherited and name not in plan.grants:
                yield problem_at(
                    catalog.positions.of("plans", plan.name, "revokes", index),
                    code="revoke-without-grant",
                    message=f"plans.{plan.name}.revokes: {shown(name)} is granted by nothing that it extends",
                    hint="remove it here",
                    severity="warning",
                )


def _tiers(catalog: PlanCatalog) -> list[str]:
    """Declared tiers that are plans; a name that is none is L3's to report."""
    return [name for name in dict.fromkeys(catalog.tiers) if name in catalog.plans]


def _monotonic(catalog: PlanCatalog, tiers: list[ResolvedPlan]) -> Iterator[Problem]:
    """L2: each plan against the tier below it. What a tier may lose by exemption, the tiers above need not have."""
    used: set[int] = set()
    for lower, higher in pairwise(tiers):
        for loss in losses(catalog, lower=lower, higher=higher):
            exempt = [n for n, one in enumerate(catalog.exemptions) if _excuses(one, loss)]
            used.update(exempt)
            if not exempt:
                yield _loss_problem(catalog, loss)
    for number, exemption in enumerate(catalog.exemptions):
        if exemption.law == "monotonic" and number not in used:
            yield problem_at(
                catalog.positions.of("exemptions", number),
                code="exemption-unused",
                message=f"exemptions[{number}]: the plan {shown(exemption.plan)} loses nothing that it excuses",
                hint="remove it, or name what the plan loses",
                severity="warning",
            )


def _excuses(exemption: Exemption, loss: Loss) -> bool:
    """Whether an exemption excuses a loss: same plan, a reason, and nothing narrower than what was lost."""
    narrowed = (exemption.capability, exemption.limit, exemption.setting)
    about = (loss.capability, loss.limit, loss.setting)
    return (
        exemption.law == "monotonic"
        and exemption.plan == loss.plan
        and bool(exemption.reason.strip())
        and all(named is None or named == lost for named, lost in zip(narrowed, about, strict=True))
    )


def _loss_problem(catalog: PlanCatalog, loss: Loss) -> Problem:
    subject = next(
        f"{word}: {name}"
        for word, name in (("capability", loss.capability), ("limit", loss.limit), ("setting", loss.setting))
        if name is not None
    )
    place = catalog.positions.of(*loss.pointer) if len(loss.pointer) > 2 else catalog.positions.of_key(*loss.pointer)
    return problem_at(
        place,
        code=loss.code,
        message=f"plans.{loss.plan}: {loss.text}",
        hint=f'{loss.hint}, or write under exemptions: {{law: monotonic, plan: {loss.plan}, {subject}, reason: "..."}}',
    )
