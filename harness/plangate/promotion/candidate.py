"""What an environment would be: its own manifest with another release, and a folder in which that can be run."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plangate.documents.document import read_document
from plangate.documents.environment import Environment
from plangate.documents.files import document_path, read_inside
from plangate.documents.kinds import Kind
from plangate.documents.wording import shown
from plangate.documents.workspace import Workspace
from plangate.drivers.process_groups import require_platform
from plangate.errors import InputError
from plangate.promotion.manifest_text import edited
from plangate.releases.release import ReleaseIdentity, identify

__all__ = ["Candidate", "candidate_folder", "history_path", "promoted", "restored"]

_COPIED = ("envs", "prompts", "evals")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An environment before and after."""

    kind: str
    """promotion | rollback"""
    current: Environment
    current_text: bytes
    current_identity: ReleaseIdentity
    environment: Environment
    """As it would be."""
    text: bytes
    identity: ReleaseIdentity
    source: str
    """The environment the release comes from; for a rollback this environment's own."""
    source_revision: int


def promoted(workspace: Workspace, name: str, *, source: str) -> Candidate:
    """`name` with the release of `source`. Raises InputError for documents that are wrong, `nothing-to-promote`."""
    origin = workspace.environment(source)
    return _made(workspace, name, origin, kind="promotion", source=source)


def restored(workspace: Workspace, name: str, *, revision: int | None) -> Candidate:
    """`name` with the release of an earlier `revision` (None: the one before). Raises InputError `no-such-revision`."""
    current = workspace.environment(name)
    wanted = revision if revision is not None else current.revision - 1
    path = history_path(name, wanted)
    if not (workspace.root / path).is_file() or wanted >= current.revision:
        raise InputError(
            f"{name} is at revision {current.revision}, and has no earlier revision to go back to"
            if wanted < 1
            else f"{name} has no earlier revision {wanted}",
            code="no-such-revision",
            where=path,
            hint=f"`plangate history {name}` lists them",
        )
    document = read_document(Kind.ENVIRONMENT, read_inside(workspace.root, path), path=path)
    return _made(workspace, name, document.sound(), kind="rollback", source=name)


def history_path(name: str, revision: int) -> str:
    """Where an older revision of a manifest lies, relative to the workspace."""
    return f"envs/history/{name}/{revision}.yaml"


def _made(workspace: Workspace, name: str, origin: Environment, *, kind: str, source: str) -> Candidate:
    current = workspace.environment(name)
    path = document_path(Kind.ENVIRONMENT, name)
    before = read_inside(workspace.root, path)
    release = origin.raw["release"]
    if not isinstance(release, dict):  # the schema has seen to it
        raise InputError("a release is a mapping", code="wrong-type", where=path)
    _require_suites(current, origin)
    text = edited(before, release=release, revision=current.revision + 1, path=path)
    environment: Environment = read_document(Kind.ENVIRONMENT, text, path=path).sound()
    was, will_be = identify(workspace, current), identify(workspace, environment)
    if was.release == will_be.release:
        raise InputError(
            f"{name} already runs the release of {f'revision {origin.revision}' if kind == 'rollback' else source}",
            code="nothing-to-promote",
            where=path,
        )
    return Candidate(
        kind=kind,
        current=current,
        current_text=before,
        current_identity=was,
        environment=environment,
        text=text,
        identity=will_be,
        source=source,
        source_revision=origin.revision,
    )


def _require_suites(target: Environment, origin: Environment) -> None:
    """A release carries the suites that judge it; one without a suite that the target asks for cannot be judged."""
    for index, gate in enumerate(target.gates):
        if gate.suite not in origin.release.suites:
            raise InputError(
                f"{target.name} asks for the suite {shown(gate.suite)}, which {origin.name}'s release does not pin",
                code="gate-without-suite",
                where=str(target.positions.of("gates", index, "suite")),
                hint=f"add {gate.suite} under release.suites of {origin.name}: the suites are part of the release",
            )


def _link(place: Path, *, to: Path) -> None:
    try:
        place.symlink_to(to, target_is_directory=to.is_dir())
    except OSError:
        # Windows lets only some people make links, and a copy would not be the app.
        require_platform(sys.platform != "win32", "validating a candidate without the right to make links")
        raise


@contextmanager
def candidate_folder(workspace: Workspace, candidate: Candidate) -> Iterator[Workspace]:
    """A workspace that differs in the candidate's manifest only; its runs are kept with the others.

    Documents are copied, everything else of the folder is linked: apps and processes of a run start in it as they do
    in the real one, and see the candidate. It is gone afterwards.
    """
    root = workspace.root.resolve()
    parent = root / ".plangate" / "candidates"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{candidate.environment.name}-", dir=parent))
    try:
        for entry in root.iterdir():
            if entry.name in _COPIED and entry.is_dir():
                shutil.copytree(entry, folder / entry.name)
            elif entry.name == "plangate.lock":
                shutil.copy2(entry, folder / entry.name)
            elif entry.name != ".git":
                _link(folder / entry.name, to=entry)
        (folder / document_path(Kind.ENVIRONMENT, candidate.environment.name)).write_bytes(candidate.text)
        yield Workspace.open(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
