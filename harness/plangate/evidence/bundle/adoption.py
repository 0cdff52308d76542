"""What a bundle's release adds to a customer's workspace: new versions beside the old ones, and where it came from.

Nothing of the customer's is overwritten: a version that is there with another text is a conflict, and bindings, gates
and trust stay as they are (rule P11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plangate.documents.document import read_document
from plangate.documents.environment import Environment
from plangate.documents.files import document_path
from plangate.documents.kinds import Kind
from plangate.documents.text import as_committed
from plangate.errors import InputError
from plangate.releases.nested import Change, nested_changes

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace
    from plangate.evidence.bundle.layout import BundleFile

__all__ = ["Adoption", "first_manifest", "missing_bindings", "other_bindings", "plan_adoption"]

_PREFIX = "workspace/"
_TAKEN = ("envs/plans/", "prompts/", "evals/")
"""Catalogs, prompts, suites and phrasings; never the publisher's lock, manifests, trust policy or keys."""
_NAMED = ("targets", "secrets", "identity", "policy")
_UPSTREAM = '{"default": {"driver": "authzen", "url": "https://upstream.invalid"}}'
"""A target is demanded of every environment; this one answers nobody (RFC 6761)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What adopting would write."""

    files: Mapping[str, bytes]
    """Path in the workspace -> bytes; only those that are new or differ."""
    replaced: tuple[str, ...]
    """Suites of a newer version, and what belongs to them."""
    theirs: Environment
    """The publisher's manifest."""
    known: bool
    """Whether the source already had exactly this release."""


def plan_adoption(bundle: BundleFile, *, manifest: Environment, workspace: Workspace, source: str) -> Adoption:
    """The files for `workspace`, where `source` is the environment that will hold the publisher's release.

    Raises InputError `adoption-conflict` where a file of the same version has another text, or where the environment
    `source` is one of the customer's own.
    """
    titles = {title.removeprefix(_PREFIX): title for title in bundle.titles() if title.startswith(_PREFIX)}
    found = {path: bundle.read(title) for path, title in titles.items() if path.startswith(_TAKEN)}
    suites = {path for path in found if path.startswith("evals/") and path.endswith((".yaml", ".yml"))}
    newer = {path: version for path in suites if (version := _replaced(workspace, path, found[path]))}
    files: dict[str, bytes] = {}
    replaced = []
    for path, data in sorted(found.items()):
        present = _present(workspace, path)
        if present is not None and as_committed(present) == as_committed(data):
            continue
        if present is not None:
            if not (path in newer or (path.startswith("evals/") and path not in suites and newer)):
                raise InputError(
                    "is there already, with another text than the publisher's",
                    code="adoption-conflict",
                    where=path,
                    hint="a version never changes: rename yours, or give it a version of its own",
                )
            replaced.append(path)
            files |= _kept(path, present, newer)
        files[path] = data
    upstream = document_path(Kind.ENVIRONMENT, source)
    before = _upstream(workspace, upstream)
    known = before is not None and before.raw["release"] == manifest.raw["release"]
    if not known:
        files[upstream] = _upstream_text(manifest, source, revision=before.revision + 1 if before else 1)
    return Adoption(files=files, replaced=tuple(replaced), theirs=manifest, known=known)


def first_manifest(name: str, *, manifest: Environment, bindings: str, source: str, tier: str) -> bytes:
    """The first manifest of a customer's environment: the publisher's release and suites, the customer's bindings.

    `bindings` is the text of the bindings mapping, kept with its comments.
    """
    gates: Any = manifest.raw.get("gates") or [{"suite": suite} for suite in manifest.release.suites]
    lines = [
        f"# {name}: bindings, gates and promotion are yours; plangate promote {name} brings releases in from {source}.",
        "apiVersion: plangate/v1",
        "kind: Environment",
        f"metadata: {{name: {name}, revision: 1, tier: {tier}}}",
        *_release_lines(manifest),
        "bindings:",
        *(f"  {line}".rstrip() for line in bindings.strip("\n").splitlines()),
        "gates:",
        *(f"  - {json.dumps(dict(gate), ensure_ascii=False)}" for gate in gates),
        "promotion:",
        f"  from: [{source}]",
    ]
    return ("\n".join(lines) + "\n").encode()


def missing_bindings(theirs: Any, mine: Any) -> tuple[str, ...]:
    """`secrets.api_key`: what the publisher's raw bindings name and the customer's do not; targets only where the
    customer has no `default`, which serves all."""
    missing = []
    parts = ("secrets", "identity", "policy") if "default" in (mine.get("targets") or {}) else _NAMED
    for part in parts:
        known, have = theirs.get(part) or {}, mine.get(part) or {}
        if isinstance(known, Mapping) and isinstance(have, Mapping):
            missing += [f"{part}.{name}" for name in known if name not in have]
    return tuple(sorted(missing))


def other_bindings(theirs: Any, mine: Any) -> tuple[Change, ...]:
    """Where the customer's raw bindings are not the publisher's: what to look at when a release behaves otherwise."""
    return nested_changes(theirs, mine)


def _present(workspace: Workspace, path: str) -> bytes | None:
    try:
        return (workspace.root / path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", code="unreadable-file", where=path) from None


def _replaced(workspace: Workspace, path: str, data: bytes) -> int | None:
    """The version of the suite that is there, where this one is newer."""
    present = _present(workspace, path)
    if present is None:
        return None
    mine = read_document(Kind.SUITE, present, path=path).sound()
    theirs = read_document(Kind.SUITE, data, path=path).sound()
    return int(mine.version) if theirs.version > mine.version else None


def _kept(path: str, present: bytes, newer: Mapping[str, int]) -> dict[str, bytes]:
    """What was there, at the place where a replaced suite, and what belongs to it, goes on being found."""
    if path in newer:
        return {f"{path.removesuffix('.yaml')}/{newer[path]}.yaml": present}
    inner = path.removeprefix("evals/")
    return {f"{suite.removesuffix('.yaml')}/{version}/{inner}": present for suite, version in newer.items()}


def _upstream(workspace: Workspace, path: str) -> Environment | None:
    present = _present(workspace, path)
    if present is None:
        return None
    manifest: Environment = read_document(Kind.ENVIRONMENT, present, path=path).sound()
    bindings: Any = manifest.raw["bindings"]
    if bindings["targets"] != json.loads(_UPSTREAM):
        raise InputError(
            "is an environment of yours, and would be replaced by the publisher's release",
            code="adoption-conflict",
            where=path,
            hint="--source NAME takes another name",
        )
    return manifest


def _upstream_text(manifest: Environment, source: str, *, revision: int) -> bytes:
    lines = [
        f"# {source}: what the publisher released. Written by plangate adopt; nothing runs here.",
        "apiVersion: plangate/v1",
        "kind: Environment",
        f"metadata: {{name: {source}, revision: {revision}, tier: nonproduction}}",
        *_release_lines(manifest),
        "bindings:",
        f"  targets: {_UPSTREAM}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _release_lines(manifest: Environment) -> list[str]:
    release: Any = manifest.raw["release"]
    parts = [
        f"  {name}: {json.dumps(value, ensure_ascii=False, default=dict)}" for name, value in release.items()
    ]  # JSON is YAML that needs no quoting rules
    return ["release:", *parts]
