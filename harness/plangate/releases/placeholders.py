"""`{release.plans.shop}` in how an app is launched: it is told what the release pins, and bindings stay as they are.

Without it a binding would have to repeat a version, and every promotion would have to change a binding (rule P4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from plangate.documents.environment import Environment, Launch
from plangate.documents.wording import did_you_mean, listed
from plangate.errors import InputError

__all__ = ["release_texts", "with_release"]

_PLACEHOLDER: Final = re.compile(r"(?<!\{)\{release\.([\w.-]+)\}(?!\})")


def with_release(environment: Environment) -> Environment:
    """`environment` with every `{release.SECTION.NAME}` in `launch.command` and `launch.env` of its targets filled in.

    Sections and names are those of the manifest's `release`. A section without a name is all of it: `{release.flags}`
    the names of the flags that are on, `{release.prompts}` pairs `name=version`, both with spaces between.
    Raises InputError `unknown-placeholder`.
    """
    targets = {
        name: replace(target, launch=_filled(target.launch, environment, name)) if target.launch else target
        for name, target in environment.bindings.targets.items()
    }
    return replace(environment, bindings=replace(environment.bindings, targets=targets))


def release_texts(environment: Environment) -> dict[str, str]:
    """What `{release.NAME}` stands for, by NAME."""
    release: Any = environment.raw.get("release")
    return {**dict(_sections(release)), **dict(_pins(release, ""))}


def _filled(launch: Launch, environment: Environment, target: str) -> Launch:
    pins = release_texts(environment)

    def fill(found: re.Match[str]) -> str:
        if found[1] in pins:
            return pins[found[1]]
        raise InputError(
            f"{found[0]} names nothing that this release pins",
            code="unknown-placeholder",
            where=str(environment.positions.of("bindings", "targets", target, "launch")),
            hint=did_you_mean(found[1], pins) or f"it pins: {listed(pins)}",
        )

    return replace(
        launch,
        command=tuple(_PLACEHOLDER.sub(fill, word) for word in launch.command),
        env={name: _PLACEHOLDER.sub(fill, text) for name, text in launch.env.items()},
    )


def _sections(release: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Sections of names and values, as one text."""
    found = []
    for section in ("flags", "plans", "prompts", "retrieval", "suites", "tools"):
        part = release.get(section, {})
        words = [name for name, on in part.items() if on is True] if section == "flags" else _pairs(part)
        found.append((section, " ".join(words)))
    return found


def _pairs(part: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in part.items()]


def _pins(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [pin for name, part in value.items() for pin in _pins(part, f"{path}.{name}" if path else name)]
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return [(path, text)]
