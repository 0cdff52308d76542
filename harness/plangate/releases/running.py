"""What a running app says of itself, beside what its release pins (rules R14, P10). Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from plangate.documents.environment import Environment, Json
from plangate.documents.wording import shown
from plangate.releases.canonical import digest_of_bytes

__all__ = ["PARTS", "PinDifference", "Told", "compare_pins"]

PARTS: Final = ("app", "model", "prompts", "plans", "tools", "retrieval", "flags")
"""Parts of a release, as release.lock names them."""
_VERSIONED: Final = ("prompts", "plans")
"""Parts whose entries have a version and a digest; an app may tell either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an app says of itself. Untrusted: any JSON, redacted."""

    parts: Mapping[str, Json] = field(default_factory=dict)
    """Part of the release -> what the app says; absent where it says nothing."""
    fingerprint: str | None = None
    """What the provider tells of the build behind the model's name."""
    answers: Sequence[str] = ()
    """SHA-256 of the words of each answer, in the order of the questions."""

    @property
    def digest(self) -> str:
        """One digest over all of it: two askings that were told the same have the same."""
        told = {"parts": dict(self.parts), "fingerprint": self.fingerprint, "answers": list(self.answers)}
        return digest_of_bytes(json.dumps(told, sort_keys=True).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDifference:
    """One pin that the running app does not follow."""

    pin: str
    """`model.version`, `prompts.answer`."""
    pinned: str
    """Empty: not pinned at all."""
    told: str
    """Empty: the app says nothing of it."""
    where: str
    """`path:line:column` in the manifest."""

    @property
    def sentence(self) -> str:
        """`model.version: pinned 1.2.0, runs 1.3.0`"""
        return f"{self.pin}: pinned {self.pinned or 'nowhere'}, runs {self.told or 'nothing'}"


def compare_pins(
    environment: Environment, release: Mapping[str, Any], told: Mapping[str, Json], *, untold: Sequence[str]
) -> tuple[list[PinDifference], list[PinDifference]]:
    """(pins that differ, pins of which nothing was told), in the order of release.lock.

    `release` is the release document (the content of release.lock), `told` the parts that the app gave. Names that the
    manifest excuses as `untold` are compared where they are told all the same. Total for any JSON.
    """
    differences: list[PinDifference] = []
    silent: list[PinDifference] = []
    for part in PARTS:
        said = told.get(part)
        if part == "flags" and isinstance(said, list):  # the names of those that are on
            said = {str(name): True for name in said}
        found = _of_part(part, release.get(part) or {}, said if isinstance(said, dict) else {})
        for pin, pinned, heard in found:
            place = PinDifference(
                pin=pin, pinned=_text(pinned), told=_text(heard), where=_where(environment, pin.split("."))
            )
            if heard is _NOTHING:
                if not _excused(pin, untold):
                    silent.append(place)
            else:
                differences.append(place)
    return differences, silent


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
