"""Which release this is: `release.lock`, the effective config, and their digests.

A verdict is about three digests (rule P1): the release, the effective config, and the suites that judge it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plangate.documents.environment import Environment, ModelPin
from plangate.documents.files import document_path
from plangate.documents.kinds import Kind
from plangate.documents.suite import Suite
from plangate.documents.wording import shown
from plangate.errors import InputError, PinError, Problem
from plangate.releases.canonical import digest
from plangate.releases.lock import compare, read_lock
from plangate.releases.pins import Pin, pins_of

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace

__all__ = [
    "ReleaseIdentity",
    "effective_digest",
    "effective_document",
    "identified",
    "identify",
    "lockable",
    "release_digest",
    "release_document",
    "suite_digest",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseIdentity:
    """What a verdict is about. Each is `sha256:...`."""

    release: str
    effective: str
    suites: Mapping[str, str]
    """Suite name -> digest."""


def release_document(environment: Environment, *, digests: Mapping[str, str]) -> dict[str, Any]:
    """The content of `release.lock`: every pin of the release, with the digest of what it leads to.

    `digests` maps the lock key of each pin (`Pin.lock_key`) to its digest. Nothing of the environment's own name or
    bindings is in it, so that the same release has the same digest in every environment.
    Raises InputError (`pin-not-found`) where a pin has no digest.
    """
    release = environment.release
    documents: dict[Kind, dict[str, Any]] = {Kind.PROMPT: {}, Kind.PLAN_CATALOG: {}, Kind.SUITE: {}}
    for pin in pins_of(environment):
        if pin.lock_key not in digests:
            raise _not_found(environment, pin)
        version = int(pin.version) if pin.kind is Kind.SUITE else pin.version
        documents[pin.kind][pin.name] = {"version": version, "digest": digests[pin.lock_key]}
    model = release.model
    return {
        "version": 1,
        "app": _present(name=release.app_name, version=release.app_version, digest=release.app_digest),
        "model": {} if model is None else _model_document(model),
        "prompts": documents[Kind.PROMPT],
        "plans": documents[Kind.PLAN_CATALOG],
        "tools": dict(release.tools),
        "retrieval": dict(release.retrieval),
        "flags": dict(release.flags),
        "suites": documents[Kind.SUITE],
    }


def _model_document(model: ModelPin) -> dict[str, Any]:
    return _present(
        provider=model.provider,
        name=model.name,
        version=model.version,
        digest=model.digest,
        parameters=dict(model.parameters),
    )


def release_digest(document: Mapping[str, Any]) -> str:
    """The identity of a release: the digest of its `release_document`."""
    return digest(document)


def effective_document(environment: Environment, *, release: Mapping[str, Any]) -> dict[str, Any]:
    """Release and bindings together, secrets left as references.

    The environment's name and tier are part of it (a verdict for stage is none for prod); its revision is not, because
    a promotion raises the revision of what was proven.
    """
    return {
        "version": 1,
        "environment": {"name": environment.name, "tier": environment.tier.value},
        "release": release,
        "bindings": environment.raw["bindings"],
    }


def effective_digest(document: Mapping[str, Any]) -> str:
    """The identity of what runs in one environment: the digest of its `effective_document`."""
    return digest(document)


def suite_digest(suite: Suite) -> str:
    """The identity of a suite: what its document says and the lines of its phrasing file, not how they are laid out."""
    if not suite.raw:
        raise ValueError("a suite without its document has no identity")
    return digest({"document": dict(suite.raw), "phrasings": list(suite.phrasings)})


def lockable(workspace: Workspace) -> dict[str, str]:
    """Lock key -> digest of every prompt, plan catalog and suite of the workspace that has no errors."""
    found: dict[str, str] = {}
    prompts = [(Kind.PROMPT, names) for names in workspace.prompt_versions()]
    catalogs = [(Kind.PLAN_CATALOG, names) for names in workspace.catalog_versions()]
    for kind, names in prompts + catalogs:
        document = workspace.document(kind, *names)
        found[document.path] = document.digest
    kept = [(name, int(version)) for name, version in workspace.kept_suites()]
    for name, version in [*kept, *((name, None) for name in workspace.suite_names())]:
        try:
            suite = workspace.suite(name, version)
        except InputError:  # a suite that cannot be read has its own problem, and no digest
            continue
        found[f"{document_path(Kind.SUITE, name)}@{suite.version}"] = suite_digest(suite)
    return found


def identify(workspace: Workspace, environment: Environment) -> ReleaseIdentity:
    """The digests of `environment`'s release, effective config and suites.

    Raises InputError where something it pins is missing or has errors, PinError where a locked document changed.
    """
    release, suites = _read(workspace, environment)
    effective = effective_document(environment, release=release)
    return ReleaseIdentity(release=release_digest(release), effective=effective_digest(effective), suites=suites)


def identified(workspace: Workspace, environment: Environment) -> dict[str, Any]:
    """The content of `environment`'s release.lock. Raises as `identify`."""
    return _read(workspace, environment)[0]


def _read(workspace: Workspace, environment: Environment) -> tuple[dict[str, Any], dict[str, str]]:
    """The release document, and suite name -> digest."""
    digests: dict[str, str] = {}
    suites: dict[str, str] = {}
    for pin in pins_of(environment):
        if pin.kind is Kind.SUITE:
            suite = workspace.suite(pin.name, int(pin.version))
            if suite.version != int(pin.version):
                raise _not_found(environment, pin)
            digests[pin.lock_key] = suites[pin.name] = suite_digest(suite)
        else:
            read = workspace.prompt if pin.kind is Kind.PROMPT else workspace.catalog
            read(pin.name, pin.version)
            digests[pin.lock_key] = workspace.document(pin.kind, pin.name, pin.version).digest
    lock = read_lock(workspace.lock_bytes())
    changed = [problem for problem in compare(lock, digests, pinned=()) if problem.code == "locked-file-changed"]
    if changed:
        raise PinError.of(changed)
    return release_document(environment, digests=digests), suites


def _not_found(environment: Environment, pin: Pin) -> InputError:
    section = {Kind.PROMPT: "prompts", Kind.PLAN_CATALOG: "plans", Kind.SUITE: "suites"}[pin.kind]
    place = environment.positions.of("release", section, pin.name)
    return InputError.of(
        [
            Problem(
                path=place.path,
                line=place.line,
                column=place.column,
                code="pin-not-found",
                message=f"release.{section}.{pin.name}: there is no version {shown(pin.version)} of it",
                hint=_places(pin),
            )
        ]
    )


def _places(pin: Pin) -> str:
    if pin.kind is not Kind.SUITE:
        return f"it would lie in {pin.path}"
    kept = document_path(Kind.SUITE, pin.name, pin.version)
    return f"a version that was replaced is kept as {kept}: restore it from version control"


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
