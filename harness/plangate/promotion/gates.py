"""Which evidence satisfies each gate of an environment: about exactly these digests, the newest, young enough. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from plangate.documents.environment import GateSpec, Json
from plangate.promotion.state import Validation
from plangate.promotion.unmet import Unmet, duration, instant, spoken
from plangate.verdicts.ran import NOT_CHECKED

__all__ = ["GateResult", "GateState", "decide_gates"]

_UNCHECKED = "what ran was not checked"
_COUNTS = ("leak", "lockout", "mismatch", "flaky", "error")


class GateResult(StrEnum):
    """What a gate says of a release."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    MISSING = "missing"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateState:
    """One gate and what it rests on."""

    suite: str
    mode: str
    result: GateResult
    run: str = ""
    at: str = ""
    why: str = ""
    evidence: str = ""
    """Digest of the envelope."""
    type: str = "gating"
    """How its suite was judged."""
    let_through: bool = False
    """Whether it passed because the manifest lets through what the suite found."""

    @property
    def unmet(self) -> Unmet | None:
        """What is missing; None where the gate is passed or only warns."""
        if self.mode != "require" or self.result is GateResult.PASSED:
            return None
        return Unmet("P1", f"gate {self.suite} is {self.result}: {self.why}", self.suite)


def decide_gates(
    gates: Sequence[GateSpec], *, found: Mapping[str, Validation], suites: Mapping[str, str], now: datetime
) -> tuple[GateState, ...]:
    """A state for each gate that is not off. `found` holds the newest results for the candidate's digests, `suites`
    the digests of the suites it pins. Raises InputError for a duration or time that is none."""
    return tuple(_decide(gate, found.get(gate.suite), suites, now) for gate in gates if gate.mode != "off")


def _decide(gate: GateSpec, found: Validation | None, suites: Mapping[str, str], now: datetime) -> GateState:
    if found is None:
        return GateState(
            suite=gate.suite,
            mode=gate.mode,
            result=GateResult.MISSING,
            why="no result is recorded for this release, these bindings and this suite",
        )
    result, why = _judge(gate, found, suites, now)
    return GateState(
        suite=gate.suite,
        mode=gate.mode,
        result=result,
        run=found.run,
        at=found.at,
        why=why,
        evidence=found.digest,
        type=found.claims.suite_type,
        let_through=result is GateResult.PASSED and not found.passed,
    )


def _judge(gate: GateSpec, found: Validation, suites: Mapping[str, str], now: datetime) -> tuple[GateResult, str]:
    if found.suite_digest != suites.get(gate.suite):
        return GateResult.STALE, "its result is about another text of the suite"
    if gate.max_age is not None:
        age = now - instant(found.at)
        if age > duration(gate.max_age):
            return GateResult.STALE, f"its result is {spoken(age)} old, and {gate.max_age} is the most"
    if unsaid := _says_nothing(gate, found):
        return GateResult.UNDECIDED, unsaid
    if found.undecided or found.totals.get("executed", 0) < found.totals.get("expected", 1):
        return GateResult.UNDECIDED, f"run {found.run} could not judge everything"
    result, why = (GateResult.PASSED, "") if found.passed else _weigh(gate, found)
    if result is GateResult.PASSED and found.lacking:
        return GateResult.UNDECIDED, f"run {found.run} passed, and too few say so: {found.lacking}"
    if result is GateResult.PASSED and found.claims.ran == NOT_CHECKED:
        why = f"{why}; {_UNCHECKED}" if why else _UNCHECKED
    return result, why


def _says_nothing(gate: GateSpec, found: Validation) -> str:
    """Why a result, whatever it says, passes no gate (rules R12 to R14); empty where it may."""
    asked = [name for name in gate.allow if name not in _COUNTS]
    if asked:
        return f"allow.{asked[0]}: a comparison that this version does not make"
    against = next(found.claims.against_a_pass(), "")
    return f"run {found.run}: {against}" if against else ""


def _weigh(gate: GateSpec, found: Validation) -> tuple[GateResult, str]:
    """A result that is no pass, against what the manifest lets through."""
    if not gate.allow:
        return GateResult.FAILED, f"run {found.run}: {_counted(found.totals)}"
    beyond = {name: found.totals.get(name, 0) for name in _COUNTS if found.totals.get(name, 0) > _let(gate.allow, name)}
    if beyond:
        return GateResult.FAILED, f"run {found.run}: {_counted(beyond)}"
    return GateResult.PASSED, f"{_counted(found.totals)} let through by the manifest"


def _let(allow: Mapping[str, Json], name: str) -> int:
    number = allow.get(name, 0)
    return number if isinstance(number, int) else 0


def _counted(totals: Mapping[str, int]) -> str:
    return ", ".join(f"{totals[name]:,} {name}" for name in _COUNTS if totals.get(name)) or "it did not pass"
