"""The subjects of a matrix: built once each while they are in use, shared by the cells that ask for the same tenant."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from plangate.documents.catalog import PlanCatalog
from plangate.entitlements.request import Consent, Override, Subject
from plangate.matrix.boundaries import UsagePoint, consents_of, full_consents, override_of
from plangate.matrix.identity import canonical, subject_prefix, text
from plangate.matrix.levels import unknown_name

__all__ = ["NamedSubject", "Subjects", "Tenant"]

NamedSubject = tuple[str, Subject]
"""A subject's id, and the subject."""

_KEPT_MAX = 4_096
"""Subjects kept for sharing, about 8 MB: past it all are forgotten and built again when asked for."""


class Tenant(NamedTuple):
    """The axis values that make a subject."""

    plan: str
    state: str
    usage: UsagePoint
    addons: tuple[str, ...]
    quantity: int | None
    consent: str
    linked: bool
    override: str
    overridden: str
    """The capability that `override` names; empty where there is none, so that capabilities share their subjects."""


class Subjects:
    """Gives the subject behind axis values. Ids equal `identity.subject_id`, joined from pieces that are kept.

    `time` is that of the requests, at which some overrides end.
    """

    def __init__(self, catalog: PlanCatalog, *, time: str) -> None:
        self._time = time
        self._capabilities = tuple(catalog.capabilities)
        self._full = full_consents(catalog)
        self._zeros = dict.fromkeys(catalog.limits, 0)
        self._kept: dict[Tenant, NamedSubject] = {}
        self._consents: dict[str, tuple[tuple[Consent, ...], bytes]] = {}
        self._usages: dict[UsagePoint, tuple[Mapping[str, int], bytes]] = {}
        self._prefixes: dict[tuple[str, str], tuple[str, bytes, bytes]] = {}
        self._overrides: dict[tuple[str, str], tuple[tuple[Override, ...], bytes]] = {}
        self._addons: dict[tuple[str, ...], bytes] = {}

    def of(self, tenant: Tenant) -> NamedSubject:
        """The subject of these axis values, and its id."""
        found = self._kept.get(tenant)
        if found is None:
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            found = self._kept[tenant] = self._build(tenant)
        return found

    def overridden(self, override: str, capability: str) -> str:
        """The capability that an override names where `capability` is asked for; empty where there is none.

        For an override of another, that is the next of the catalog: one that an app knows, too.
        """
        if not override.endswith("_other"):
            return "" if override == "none" else capability
        known = self._capabilities
        following = known[(known.index(capability) + 1) % len(known)] if capability in known else known[0]
        return following if following != capability else unknown_name("capability", known=known)

    def _build(self, tenant: Tenant) -> NamedSubject:
        plan, state = tenant.plan, tenant.state
        prefix, plan_bytes, state_bytes = self._prefixes.get((plan, state)) or self._prefix(plan, state)
        consents, consent_bytes = self._consents.get(tenant.consent) or self._consent(tenant.consent)
        usage, usage_bytes = self._usages.get(tenant.usage) or self._usage(tenant.usage)
        named = (tenant.override, tenant.overridden)
        overrides, override_bytes = self._overrides.get(named) or self._override(*named)
        message = b"%b%b%b%b%b%b%b%b" % (
            self._addons.get(tenant.addons) or self._addon(tenant.addons),
            consent_bytes,
            override_bytes,
            plan_bytes,
            b"null" if tenant.quantity is None else b"%d" % tenant.quantity,
            state_bytes,
            b"true" if tenant.linked else b"false",
            usage_bytes,
        )
        subject = Subject(
            plan=plan,
            state=state,
            quantity=tenant.quantity,
            addons=tenant.addons,
            tenant_linked=tenant.linked,
            consents=consents,
            usage=usage,
            overrides=overrides,
        )
        return prefix + hashlib.sha256(message).hexdigest()[:12], subject

    def _prefix(self, plan: str, state: str) -> tuple[str, bytes, bytes]:
        pieces = (
            subject_prefix(plan, state=state),
            b',"plan":' + text(plan) + b',"quantity":',
            b',"state":' + text(state) + b',"tenant_linked":',
        )
        self._prefixes[plan, state] = pieces
        return pieces

    def _consent(self, name: str) -> tuple[tuple[Consent, ...], bytes]:
        consents = consents_of(name, full=self._full)
        written = canonical([{"name": consent.name, "level": consent.level} for consent in consents])
        self._consents[name] = consents, written + b',"overrides":'
        return self._consents[name]

    def _override(self, name: str, capability: str) -> tuple[tuple[Override, ...], bytes]:
        overrides = override_of(name, capability=capability, time=self._time)
        written = canonical(
            [{"capability": one.capability, "effect": one.effect, "expires": one.expires} for one in overrides]
        )
        self._overrides[name, capability] = overrides, written
        return self._overrides[name, capability]

    def _usage(self, point: UsagePoint) -> tuple[Mapping[str, int], bytes]:
        usage = {**self._zeros, point.limit: point.number} if point.limit else self._zeros
        if len(self._usages) >= _KEPT_MAX:
            self._usages.clear()
        self._usages[point] = usage, b',"usage":' + canonical(usage) + b"}"
        return self._usages[point]

    def _addon(self, addons: tuple[str, ...]) -> bytes:
        self._addons[addons] = b'{"addons":' + canonical(addons) + b',"consents":'
        return self._addons[addons]
