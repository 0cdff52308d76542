"""Whether what runs is what was promoted (rule P10): pins, the model behind its name, a canary's decisions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plangate.documents.environment import Environment, Json
from plangate.documents.wording import shown

__all__ = ["Baseline", "Difference", "Drift", "DriftReport", "compare_model", "compare_pins", "recorded_drift"]

_VERSIONED = ("prompts", "plans")
"""Parts whose entries have a version and a digest; an app may tell either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One pin that the running app does not follow."""

    pin: str
    """`model.version`, `prompts.answer`."""
    pinned: str
    """Empty: not pinned at all."""
    told: str
    """Empty: the app says nothing of it."""
    where: str
    """`path:line:column` in the manifest."""


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

    differences: tuple[Difference, ...]
    untold: tuple[Difference, ...]
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
        pins = tuple(
            f"{one.pin}: pinned {one.pinned or 'nowhere'}, runs {one.told or 'nothing'}" for one in self.differences
        )
        return (*pins, *self.model, *((self.canary_text,) if self.canary == "failed" else ()))


def compare_pins(
    environment: Environment, release: Mapping[str, Any], told: Mapping[str, Json], *, untold: Sequence[str]
) -> tuple[list[Difference], list[Difference]]:
    """(pins that differ, pins of which nothing was told), in the order of release.lock.

    `release` is the release document (the content of release.lock), `told` the parts that the app gave. Names that the
    manifest excuses as `untold` are compared where they are told all the same. Total for any JSON.
    """
    differences: list[Difference] = []
    silent: list[Difference] = []
    for part in ("app", "model", "prompts", "plans", "tools", "retrieval", "flags"):
        said = told.get(part)
        if part == "flags" and isinstance(said, list):  # the names of those that are on
            said = {str(name): True for name in said}
        found = _of_part(part, release.get(part) or {}, said if isinstance(said, dict) else {})
        for pin, pinned, heard in found:
            place = Difference(
                pin=pin, pinned=_text(pinned), told=_text(heard), where=_where(environment, pin.split("."))
            )
            if heard is _NOTHING:
                if not _excused(pin, untold):
                    silent.append(place)
            else:
                differences.append(place)
    return differences, silent


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


class _Nothing:
    """Neither null nor false: not there."""


_NOTHING = _Nothing()


def _of_part(part: str, pinned: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(pin, pinned, told) of each that differs or is missing on either side."""
    for name, value in pinned.items():
        heard = said.get(name, _NOTHING)
        if part in _VERSIONED:
            yield from _of_document(f"{part}.{name}", value, heard)
        elif part == "model" and name == "parameters":
            inner = heard if isinstance(heard, Mapping) else {}
            yield from _of_part("model.parameters", value, inner)
        elif not _same(value, heard):
            yield f"{part}.{name}", value, heard
    if part not in ("app", "model"):  # of those, an app may say more than a manifest can pin
        extra = [(name, heard) for name, heard in said.items() if name not in pinned]
        # A flag that is off is as good as none.
        yield from ((f"{part}.{name}", _NOTHING, heard) for name, heard in extra if part != "flags" or heard)


def _of_document(pin: str, pinned: Mapping[str, Any], heard: Any) -> Iterator[tuple[str, Any, Any]]:
    """A prompt or catalog: told as its version, its digest, or both; all that is told must fit."""
    if isinstance(heard, str):
        heard = {"digest" if heard.startswith("sha256:") else "version": heard}
    told = {name: heard[name] for name in ("version", "digest") if name in heard} if isinstance(heard, Mapping) else {}
    if not told:
        yield pin, pinned["version"], _NOTHING
        return
    for name, value in told.items():
        if value != pinned[name]:
            yield pin, pinned[name], value
            return


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, and 0 is 0.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _excused(pin: str, untold: Sequence[str]) -> bool:
    return any(pin == name or pin.startswith(f"{name}.") for name in untold)


def _text(value: Any) -> str:
    return "" if value is _NOTHING else shown(value, characters_max=80) if not isinstance(value, str) else value[:200]


def _where(environment: Environment, parts: Sequence[str]) -> str:
    return str(environment.positions.of("release", parts[0], ".".join(parts[1:])))


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
    if baseline.answers and len(baseline.answers) == len(answers):
        other = [
            str(number)
            for number, (one, before) in enumerate(zip(answers, baseline.answers, strict=True), 1)
            if one != before
        ]
        if other:
            found.append(f"the model answers question {', '.join(other)} otherwise than on {baseline.at}")
    return found, []
