"""What a signed test result says beside its result: how its suite was judged, what ran, what it shows and left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from plangate.documents.environment import Json
from plangate.documents.requirements import JUDGED_TYPES
from plangate.entitlements.instants import instant_of
from plangate.verdicts.ran import DIFFERS, NOT_CHECKED

__all__ = ["Claims", "claims_of", "undemanded"]

_LISTED_MAX: Final = 100
_WORDS_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The words of its signer. Results of versions that did not say a thing are read as if it was not looked at."""

    suite_type: str = "gating"
    ran: str = NOT_CHECKED
    """not checked | as declared | differs"""
    differences: tuple[str, ...] = ()
    """How what ran differs, a sentence each."""
    part: str = ""
    """Which part of its suite it is about, in words; empty for the whole."""
    started: str = ""
    """When its run began."""
    requirements: tuple[str, ...] = ()
    """Ids that it says are shown."""
    not_tried: tuple[str, ...] = ()
    """A sentence each."""

    def began_before(self, other: Claims) -> bool:
        """Whether its run began before that of `other`: a pass that only took longer, or was kept back, says nothing
        of what the other saw. False where either does not say when."""
        began, before = instant_of(self.started), instant_of(other.started)
        return began is not None and before is not None and began < before

    def against_a_pass(self) -> Iterator[str]:
        """Why this is no pass, whatever result stands beside it (rules R12 to R14)."""
        if self.suite_type not in JUDGED_TYPES:
            yield f"this version cannot judge a suite of type {self.suite_type}"
        if self.ran == DIFFERS:
            yield ": ".join(("what ran is not what the manifest declares", *self.differences[:1]))
        if self.part:
            yield f"a part only was asked: {self.part}"


def claims_of(predicate: Mapping[str, Json]) -> Claims:
    """What the predicate of a test result claims. Total."""
    selection, shard = _text(predicate.get("selection")), _text(predicate.get("shard"))
    return Claims(
        suite_type=_text(predicate.get("suiteType")) or "gating",
        ran=_text(predicate.get("ran")) or NOT_CHECKED,
        differences=_texts(predicate.get("ranDifferences")),
        part="; ".join(filter(None, (selection, f"shard {shard}" if shard else ""))),
        started=_text(predicate.get("startedOn")),
        requirements=_texts(predicate.get("requirements")),
        not_tried=_texts(predicate.get("notTried")),
    )


def undemanded(predicate: Mapping[str, Json]) -> tuple[str, ...]:
    """What came in without a proof, by the gates that a promotion's predicate lists: nothing was asked at all, a suite
    that only warns did not pass, or the manifest lets through what one found. Total."""
    gates = predicate.get("gates")
    if not isinstance(gates, list):  # an adoption has none of its own
        return ()
    found = [gate for gate in gates if isinstance(gate, dict)]
    told = [] if any(gate.get("mode") == "require" for gate in found) else ["no gate was required"]
    for gate in found:
        name, result = _text(gate.get("suite")), _text(gate.get("result"))
        if gate.get("mode") == "warn" and result != "passed":
            told.append(f"{name} {result}, and only warns")
        elif gate.get("letThrough") is True:
            told.append(f"{name} did not pass, and was let through")
    return tuple(told)


def _text(value: Json) -> str:
    return value[:_WORDS_MAX] if isinstance(value, str) else ""


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(map(_text, value[:_LISTED_MAX])) if isinstance(value, list) else ()
