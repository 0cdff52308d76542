"""What a release pins, and the file each pin of the workspace leads to."""

from __future__ import annotations

from dataclasses import dataclass

from plangate.documents.environment import Environment
from plangate.documents.files import document_path
from plangate.documents.kinds import Kind

__all__ = ["Pin", "pins_of"]


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One exact pin on a document of the workspace."""

    kind: Kind
    name: str
    version: str
    path: str
    """Relative to the workspace."""

    @property
    def lock_key(self) -> str:
        """What `plangate.lock` calls it. All versions of a suite live in one file, so its key ends in the version."""
        return f"{self.path}@{self.version}" if self.kind is Kind.SUITE else self.path


def pins_of(environment: Environment) -> tuple[Pin, ...]:
    """The prompts, plan catalogs and suites that an environment's release pins, sorted."""
    release = environment.release
    pins = [
        Pin(Kind.PROMPT, name, version, document_path(Kind.PROMPT, name, version))
        for name, version in release.prompts.items()
    ]
    pins += [
        Pin(Kind.PLAN_CATALOG, name, version, document_path(Kind.PLAN_CATALOG, name, version))
        for name, version in release.plans.items()
    ]
    pins += [
        Pin(Kind.SUITE, name, str(version), document_path(Kind.SUITE, name)) for name, version in release.suites.items()
    ]
    return tuple(sorted(pins))
