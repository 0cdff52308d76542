"""Whether somebody whom the customer trusts has repeated a bundle's results, by the customer's own ledger."""

from __future__ import annotations

from plangate.evidence.claims import claims_of
from plangate.evidence.envelope import open_envelope
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import RELEASE_SUBJECT, TEST_RESULT, Statement
from plangate.evidence.trust import Accepted, TrustPolicy

__all__ = ["reproduced_suites"]


def reproduced_suites(ledger: Ledger, policy: TrustPolicy, *, release: str, fingerprint: str) -> set[str]:
    """The suites whose newest trusted result about `release` says that it repeats `fingerprint`.

    A later result that does not takes an earlier one back. Raises EvidenceError where the ledger is damaged or cut, or
    lacks an envelope.
    """
    ledger.recover()
    ledger.require_whole()
    found: dict[str, bool] = {}
    for entry in ledger.entries():
        envelope = open_envelope(ledger.envelope(entry.digest))
        statement = envelope.statement()
        if statement.predicate_type != TEST_RESULT or statement.digest_of(RELEASE_SUBJECT) != release:
            continue
        claim = statement.predicate.get("reproduces")
        if not isinstance(claim, dict):
            continue
        accepted = policy.judge(envelope, index=entry.index, environment=_environment_of(statement), at=entry.at)
        if isinstance(accepted, Accepted):
            same = claim.get("reproduced") is True and claim.get("fingerprint") == fingerprint
            passed = statement.predicate.get("result") == "PASSED"
            contradicted = any(claims_of(statement.predicate).against_a_pass())
            found[_suite_of(statement)] = same and passed and not contradicted
    return {suite for suite, holds in found.items() if holds}


def _environment_of(statement: Statement) -> str | None:
    names = [one.name for one in statement.subjects if one.name.startswith("effective/")]
    return names[0].removeprefix("effective/").removesuffix(".json") if names else None


def _suite_of(statement: Statement) -> str:
    configuration = statement.predicate.get("configuration")
    first = configuration[0] if isinstance(configuration, list) and configuration else None
    return str(first.get("name", "")).removeprefix("suite/") if isinstance(first, dict) else ""
