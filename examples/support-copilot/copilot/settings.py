"""What one installation is told from outside: versions, prompts, policy, clock; from environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from copilot.entitlements import HousePolicy

__all__ = ["Settings", "SettingsError", "settings_from"]


NO_POLICY = HousePolicy()


class SettingsError(ValueError):
    """A setting cannot be read; the app refuses to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between installations. Field comments name the environment variable."""

    plans: str = "3.3.0"
    """COPILOT_PLANS: version of the plan book."""
    prompts_folder: Path = Path("prompts")
    """COPILOT_PROMPTS_FOLDER: where `<name>/<version>.md` lie."""
    prompts: tuple[tuple[str, str], ...] = ()
    """COPILOT_PROMPTS: `triage=1.4.0 answer=2.1.0 handover=1.0.0`."""
    kb: str = "2026-11-01"
    """COPILOT_KB: date of the knowledge base snapshot."""
    flags: frozenset[str] = frozenset()
    """COPILOT_FLAGS: names of the flags that are on."""
    policy: HousePolicy = NO_POLICY
    """COPILOT_NEVER, COPILOT_APPROVALS: tools; COPILOT_STEPS_MAX: a number."""
    database: str = ":memory:"
    """COPILOT_DATABASE: a file to keep tenants, usage and audit in; without one they end with the process."""
    test_api: bool = False
    """COPILOT_TEST_API=1: opens `/test`, which arranges tenants. Never where customers are."""
    clock: str = ""
    """COPILOT_CLOCK: an instant (RFC 3339) at which time stands still; only together with the test API."""
    pdp_key: str = ""
    """COPILOT_PDP_KEY: what callers of the AuthZEN decision point must send as bearer token; empty = open."""
    bug: str = ""
    """COPILOT_BUG: switches on one known fault (`copilot.bugs`)."""
    drift: str = ""
    """COPILOT_DRIFT: lets one part be other than what was put there (`copilot.drifts`)."""


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables. Raises SettingsError, naming the variable."""
    usual = Settings()
    test_api = environ.get("COPILOT_TEST_API", "") == "1"
    clock = environ.get("COPILOT_CLOCK", "")
    if clock and not test_api:
        raise SettingsError("COPILOT_CLOCK: time may stand still only together with COPILOT_TEST_API=1")
    return Settings(
        plans=environ.get("COPILOT_PLANS", usual.plans),
        prompts_folder=Path(environ.get("COPILOT_PROMPTS_FOLDER", "prompts")),
        prompts=_pairs(environ.get("COPILOT_PROMPTS", "")),
        kb=environ.get("COPILOT_KB", usual.kb),
        flags=frozenset(environ.get("COPILOT_FLAGS", "").split()),
        policy=HousePolicy(
            never=frozenset(environ.get("COPILOT_NEVER", "").split()),
            ask_a_person=frozenset(environ.get("COPILOT_APPROVALS", "").split()),
            steps_max=_number(environ.get("COPILOT_STEPS_MAX", "")),
        ),
        database=environ.get("COPILOT_DATABASE", usual.database),
        test_api=test_api,
        clock=clock,
        pdp_key=environ.get("COPILOT_PDP_KEY", ""),
        bug=environ.get("COPILOT_BUG", ""),
        drift=environ.get("COPILOT_DRIFT", ""),
    )


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for word in text.split():
        name, equals, version = word.partition("=")
        if not (name and equals and version):
            raise SettingsError(f"COPILOT_PROMPTS: {word!r} is not name=version")
        pairs.append((name, version))
    return tuple(pairs)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(f"COPILOT_STEPS_MAX: {text!r} is not a whole number above zero")
    return int(text)
