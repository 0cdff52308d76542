"""The property test has teeth: each small, plausible error of the oracle below is noticed by the independent reading.

A mutant is the oracle's own source with one snippet replaced. A snippet that no longer occurs exactly once fails here,
so that no mutant dies of old age unnoticed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings

import plangate.entitlements.oracle as oracle_module
from tests.entitlements.catalogs import catalog_of, policy_of, request_of, subject_of
from tests.entitlements.reference_oracle import reference_decision
from tests.entitlements.strategies import Case, cases
from tests.entitlements.test_oracle_property import plain

FOLDER = Path(oracle_module.__file__).parent
CHAIN = ("instants", "plans", "gate", "compilation", "oracle")
"""Modules that hold rules, each importing only those before it."""


class Mutant(NamedTuple):
    module: str
    old: str
    new: str


MUTANTS = {
    "D2: the environment's denied list is ignored": Mutant(
        "compilation", "if capability.name in policy.denied:", "if False:"
    ),
    "D2 after D3": Mutant(
        "oracle",
        "        if known.prohibited:\n            return known.prohibited\n"
        "        if subject.tenant_linked is not True:\n            return known.not_linked\n",
        "        if subject.tenant_linked is not True:\n            return known.not_linked\n"
        "        if known.prohibited:\n            return known.prohibited\n",
    ),
    "D3: anything truthy is linked": Mutant("oracle", "subject.tenant_linked is not True", "not subject.tenant_linked"),
    "D4: a retained capability is refused, too": Mutant(
        "oracle", "if terms is None or request.capability not in terms.retains:", "if True:"
    ),
    "D4: an undeclared state retains everything": Mutant(
        "oracle",
        "if terms is None or request.capability not in terms.retains:",
        "if terms and request.capability not in terms.retains:",
    ),
    "D4: every refusal says suspended": Mutant(
        "compilation", "_STATE_REASONS.get(name, Reason.UNKNOWN_STATE)", "Reason.SUSPENDED"
    ),
    "D4: a state's own reason is ignored": Mutant("compilation", "own or _STATE_REASONS", "_STATE_REASONS"),
    "D6: expired overrides count": Mutant("gate", "return expires > now", "return True"),
    "D6: an override lives in the instant it expires": Mutant("gate", "return expires > now", "return expires >= now"),
    "D6: expiries are compared without the time zone": Mutant("instants", "+ second - ahead\n", "+ second\n"),
    "D6: a grant that cannot be dated is live": Mutant("gate", 'return override.effect != "grant"', "return True"),
    "D6: a revoke that cannot be dated is not live": Mutant(
        "gate", 'return override.effect != "grant"', "return False"
    ),
    "D6: a grant is looked at before a revoke": Mutant(
        "gate",
        '        if any(override.effect != "grant" for override in live):\n            return self.revoked\n'
        "        if self.granted:\n            return self.entitled\n",
        "        if self.granted:\n            return self.entitled\n"
        '        if any(override.effect != "grant" for override in live):\n            return self.revoked\n',
    ),
    "D6: only the first override counts": Mutant(
        "gate", "for override in subject.overrides if", "for override in subject.overrides[:1] if"
    ),
    "D6: add-ons grant nothing": Mutant("gate", "if terms and name in terms.grants:", "if False:"),
    "D6: revokes of a plan are ignored": Mutant("plans", "        grants.pop(capability, None)\n", "        pass\n"),
    "D6: a child inherits no grants": Mutant("plans", "grants = dict(parent.grants) if parent else {}", "grants = {}"),
    "D7: any level of consent will do": Mutant("gate", "_RANKS.get(consent.level, -1) >= rank", "consent.level"),
    "D7: preauthorized is less than admin": Mutant(
        "gate", "level.value: level.rank for", 'level.value: level.rank * (level.value == "admin") for'
    ),
    "D7: one consented scope is enough": Mutant(
        "gate",
        "            else:\n                return refusal\n        return None\n",
        "            else:\n                continue\n            return None\n        return refusal\n",
    ),
    "D7 before D6": Mutant(
        "gate",
        "        entitled = self.entitled\n        if not",
        "        if self.scopes and (refusal := self._refused_scope(subject)):\n            return refusal\n"
        "        entitled = self.entitled\n        if not",
    ),
    "D8: the value after the plan's is within it": Mutant("compilation", "index(value) + 1 if", "index(value) + 2 if"),
    "D8: a boolean is an integer": Mutant(
        "gate", "or isinstance(value, bool) or value > self.most", "or value > self.most"
    ),
    "D8: the plan's integer itself is beyond the plan": Mutant("gate", "value > self.most", "value >= self.most"),
    "D8: the environment's max_steps is ignored": Mutant("gate", "value > self.policy_most", "False"),
    "D8: a setting that the plan does not set is not judged": Mutant(
        "compilation",
        "    if declared is None:\n        return SettingBound(name, None, None,",
        "    if declared is None:\n        return SettingBound(name, frozenset(setting.values), 99,",
    ),
    "D9: the last use that fits is refused": Mutant("gate", "if used + cost > limit:", "if used + cost >= limit:"),
    "D9: the cost is forgotten": Mutant("gate", "if used + cost > limit:", "if used >= limit:"),
    "D9: the request may lower the cost": Mutant(
        "gate", "return max(value, at_least) if isinstance(value, int)", "return value if isinstance(value, int)"
    ),
    "D9: the quantity is forgotten": Mutant("gate", "limit *= seats(subject)", "limit *= 1"),
    "D9: what add-ons add is forgotten": Mutant("gate", "limit, place = limit + extra,", "limit, place = limit,"),
    "D9: an add-on named twice counts twice": Mutant(
        "gate", "for addon in dict.fromkeys(subject.addons):", "for addon in subject.addons:"
    ),
    "D9: malformed usage is zero": Mutant(
        "gate", "isinstance(value, bool) else max(0, limit)", "isinstance(value, bool) else 0"
    ),
    "D9: negative usage makes room": Mutant("gate", "return max(0, value) if", "return value if"),
    "D9: what is left may be negative": Mutant("gate", "max(0, limit - used),", "limit - used,"),
    "D9: soft limits are hard": Mutant(
        "compilation", "frozenset(name for name, limit in catalog.limits.items() if limit.soft)", "frozenset()"
    ),
    "D9: limits in the capability's order, not the catalog's": Mutant(
        "compilation",
        "for name, bound in limits.items() if consumes.get(name, 0) > 0]",
        "for name in consumes if (bound := limits.get(name))]",
    ),
    "D9: a day ends an hour late": Mutant("instants", "(days + 1).isoformat()}T00", "(days + 1).isoformat()}T01"),
    "D9: December has no end": Mutant(
        "instants", "divmod(today.year * 12 + today.month, 12)", "(today.year, today.month)"
    ),
    "D10 before D9": Mutant(
        "gate",
        "        hard, soft = self.bounds_of(",
        "        if self.approval:\n            return self.approval\n        hard, soft = self.bounds_of(",
    ),
    "D10: the plan's lane does not override the capability's": Mutant(
        "compilation", "(lane.value if lane else capability.lane)", "capability.lane"
    ),
    "D10: the environment may lift approval": Mutant(
        "compilation",
        "    lane = plan.lanes.get(name)\n    if (",
        "    lane = plan.lanes.get(name)\n    if name not in policy.lanes and (",
    ),
    "D10: the environment's lanes are ignored": Mutant(
        "compilation", "if policy.lanes.get(name) is Lane.APPROVAL:", "if False:"
    ),
    "D11: a soft limit is not told": Mutant("gate", "        if soft and (", "        if False and ("),
    "D9: a flat rate has no seats at all": Mutant(
        "gate", "if quantity is None:\n        return 1", "if quantity is None:\n        return 0"
    ),
    "D9: a week begins on Sunday": Mutant(
        "instants", "days + 7 - today.weekday()", "days + 7 - today.isoweekday() % 7"
    ),
}


@pytest.fixture(scope="module")
def corpus() -> list[Case]:
    """The cases that the property test tries in profile `normal`."""
    seen: list[Case] = []

    @settings(max_examples=2_000, derandomize=True, database=None, phases=[Phase.generate])
    @given(cases())
    def collect(case: Case) -> None:
        seen.append(case)

    collect()
    return seen


def disagreements(oracle_class: Any, corpus: list[Case]) -> Iterator[dict[str, Any]]:
    """Expected decisions that `oracle_class` does not give."""
    for case in corpus:
        oracle = oracle_class.of(catalog_of(case.catalog), policy_of(case.policy))
        for subject, request in case.asked:
            expected = reference_decision(case.catalog, case.policy, subject, request)
            if plain(oracle.decide(subject_of(subject), request_of(request))) != expected:
                yield expected


def load(name: str, mutant: Mutant | None) -> Any:
    """The Oracle class of a copy of the oracle's modules, one of them mutated."""
    loaded = []
    try:
        for stem in CHAIN:
            source = (FOLDER / f"{stem}.py").read_text(encoding="utf-8")
            if mutant and mutant.module == stem:
                assert source.count(mutant.old) == 1, f"{name}: {stem}.py no longer holds {mutant.old!r} exactly once"
                source = source.replace(mutant.old, mutant.new)
            for other in CHAIN:
                source = source.replace(f"from plangate.entitlements.{other} import", f"from mutant_{other} import")
            module = ModuleType(f"mutant_{stem}")
            loaded.append(module.__name__)
            sys.modules[module.__name__] = module
            exec(compile(source, f"<mutant of {stem}.py>", "exec"), module.__dict__)
        return module.__dict__["Oracle"]
    finally:
        for name_of_module in loaded:
            del sys.modules[name_of_module]


def test_the_copy_without_a_mutation_agrees(corpus: list[Case]) -> None:
    assert not list(disagreements(load("none", None), corpus))


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name: str, corpus: list[Case]) -> None:
    assert next(disagreements(load(name, MUTANTS[name]), corpus), None), f"nobody noticed: {name}"
