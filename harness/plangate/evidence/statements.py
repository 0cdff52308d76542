"""What evidence says: in-toto statements about a release, and the predicates that plangate reads and writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from plangate.documents.environment import Json
from plangate.errors import EvidenceError
from plangate.evidence.strict_json import loads
from plangate.releases.canonical import canonical_bytes

__all__ = [
    "APPROVAL",
    "BYPASS",
    "DRIFT",
    "DRILL",
    "HOLD",
    "LET_THROUGH",
    "NO_GATES",
    "OWN_DOMAIN",
    "PROMOTION",
    "RELEASE_SUBJECT",
    "STATEMENT_TYPE",
    "TEST_RESULT",
    "VERIFICATION_SUMMARY",
    "Statement",
    "Subject",
    "read_statement",
    "subjects_of",
]

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
_STATEMENT_TYPES: Final = (STATEMENT_TYPE, "https://in-toto.io/Statement/v0.1")
OWN_DOMAIN: Final = "https://plangate.dev/attestations/"
"""The URI of a predicate type is signed and permanent: this line never changes."""
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
VERIFICATION_SUMMARY: Final = "https://slsa.dev/verification_summary/v1"
APPROVAL: Final = OWN_DOMAIN + "approval/v0.1"
PROMOTION: Final = OWN_DOMAIN + "promotion/v0.1"
BYPASS: Final = OWN_DOMAIN + "bypass/v0.1"
HOLD: Final = OWN_DOMAIN + "hold/v0.1"
DRIFT: Final = OWN_DOMAIN + "drift/v0.1"
DRILL: Final = OWN_DOMAIN + "drill/v0.1"
NO_GATES: Final = "PLANGATE_NO_GATES"
"""The one level of a summary where nothing was demanded."""
LET_THROUGH: Final = "LET_THROUGH"
"""How the level of a gate ends that passed, though its suite did not."""
RELEASE_SUBJECT: Final = "release.lock"
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about: a name and the SHA-256 of its bytes, hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One in-toto statement."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Json]

    def to_bytes(self) -> bytes:
        """RFC 8785 bytes: written once, signed, and never made again to verify."""
        return canonical_bytes(
            {
                "_type": STATEMENT_TYPE,
                "subject": [{"name": one.name, "digest": {"sha256": one.sha256}} for one in self.subjects],
                "predicateType": self.predicate_type,
                "predicate": dict(self.predicate),
            }
        )

    def digest_of(self, name: str) -> str | None:
        """`sha256:...` of the subject called `name`, or None."""
        return next((f"sha256:{one.sha256}" for one in self.subjects if one.name == name), None)


def subjects_of(release: str, *, environment: str, effective: str) -> tuple[Subject, ...]:
    """The two subjects of everything said about a release in an environment; digests are `sha256:...`."""
    return (
        Subject(RELEASE_SUBJECT, release.removeprefix("sha256:")),
        Subject(f"effective/{environment}.json", effective.removeprefix("sha256:")),
    )


def read_statement(payload: bytes) -> Statement:
    """Read a statement strictly: v1 and v0.1, subjects with a SHA-256. Raises EvidenceError `malformed-evidence`."""
    document = loads(payload)
    if not isinstance(document, dict) or document.get("_type") not in _STATEMENT_TYPES:
        _refuse("its _type is not an in-toto statement's")
    predicate_type, predicate = document.get("predicateType"), document.get("predicate")
    subjects = document.get("subject")
    if not isinstance(predicate_type, str) or not isinstance(predicate, dict):
        _refuse("predicateType is text and predicate is an object")
    if not isinstance(subjects, list) or not subjects:
        _refuse("it is about nothing")
    return Statement(subjects=_subjects(subjects), predicate_type=predicate_type, predicate=predicate)


def _subjects(listed: Sequence[Json]) -> tuple[Subject, ...]:
    found = []
    for one in listed:
        digest = one.get("digest") if isinstance(one, dict) else None
        sha256 = digest.get("sha256") if isinstance(digest, dict) else None
        name = one.get("name", "") if isinstance(one, dict) else None
        if not isinstance(name, str) or not isinstance(sha256, str) or not _HEX.fullmatch(sha256):
            _refuse("each subject has a name and a sha256 of 64 hexadecimal digits")
        found.append(Subject(name, sha256))
    return tuple(found)


def _refuse(why: str) -> NoReturn:
    raise EvidenceError(f"this is no statement: {why}", code="malformed-evidence")
