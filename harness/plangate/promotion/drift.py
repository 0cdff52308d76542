"""Whether what runs is what was promoted (rule P10): pins, the model behind its name, a canary's decisions. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plangate.documents.environment import Json
from plangate.releases.running import PinDifference

__all__ = ["Baseline", "Drift", "DriftReport", "compare_model", "recorded_drift"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was recorded of the model when its answers were last proven."""

    at: str
    fingerprint: str | None
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One look at an environment, as the ledger holds it."""

    at: str
    release: str
    effective: str
    verdict: str
    """none | drifted | undecided"""
    texts: tuple[str, ...]
    """What differed, one line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What one look found."""

    differences: tuple[PinDifference, ...]
    untold: tuple[PinDifference, ...]
    """Pins the app says nothing of, though the manifest does not excuse it."""
    model: tuple[str, ...]
    """How the model behind the name is no longer the one recorded."""
    canary: str
    """passed | failed | undecided | skipped"""
    canary_text: str
    run: str
    not_checked: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """`drifted` where anything differs; `undecided` where something could not be seen; else `none`."""
        if self.differences or self.model or self.canary == "failed":
            return "drifted"
        return "undecided" if self.untold or self.canary == "undecided" else "none"

    @property
    def texts(self) -> tuple[str, ...]:
        """What differs, one line each."""
        canary = (self.canary_text,) if self.canary == "failed" else ()
        return (*(one.sentence for one in self.differences), *self.model, *canary)


def recorded_drift(
    predicate: Mapping[str, Json], *, at: str, release: str, effective: str
) -> tuple[Drift, tuple[str, Baseline] | None]:
    """What a statement of the ledger says: the look, and what it recorded of the model and on what basis. Total."""
    texts = predicate.get("texts")
    look = Drift(
        at=at,
        release=release,
        effective=effective,
        verdict=str(predicate.get("verdict")),
        texts=tuple(one for one in texts if isinstance(one, str)) if isinstance(texts, list) else (),
    )
    model = predicate.get("model")
    if not isinstance(model, dict) or predicate.get("recorded") is not True:
        return look, None
    fingerprint, answers = model.get("fingerprint"), model.get("answers")
    baseline = Baseline(
        at=at,
        fingerprint=fingerprint if isinstance(fingerprint, str) else None,
        answers=tuple(str(one) for one in answers) if isinstance(answers, list) else (),
    )
    return look, (str(model.get("basis")), baseline)


def compare_model(
    baseline: Baseline | None, *, fingerprint: str | None, answers: Sequence[str]
) -> tuple[list[str], list[str]]:
    """(how the model is another one, what could not be looked at). Nothing recorded, nothing to compare with."""
    if baseline is None and fingerprint is None and not answers:
        return [], [
            "whether the model behind the name is still the same: the app tells no system_fingerprint, and "
            "bindings.probe.questions asks nothing"
        ]
    if baseline is None:
        return [], [
            "whether the model behind the name is still the same: nothing is recorded to compare with (--key FILE "
            "records it)"
        ]
    found = []
    if baseline.fingerprint is not None and fingerprint != baseline.fingerprint:
        found.append(f"system_fingerprint: {fingerprint or 'none'}, and {baseline.fingerprint} on {baseline.at}")
    if len(baseline.answers) != len(answers):
        found.append(f"the model answers {len(answers)} questions, and {len(baseline.answers)} on {baseline.at}")
    else:
        other = [
            str(number)
            for number, (one, before) in enumerate(zip(answers, baseline.answers, strict=True), 1)
            if one != before
        ]
        if other:
            found.append(f"the model answers question {', '.join(other)} otherwise than on {baseline.at}")
    return found, []
