"""What `plangate adopt` does between its options and its exit status."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from plangate.cli.clock import signing_time
from plangate.cli.output import print_document
from plangate.cli.placing import placed_at
from plangate.cli.reproducing import bindings_in
from plangate.cli.signing import Signer, signer_of
from plangate.cli.trusting import load_trust
from plangate.cli.world import real_world
from plangate.documents.document import read_document
from plangate.documents.environment import Environment
from plangate.documents.files import TRUST_PATH, document_path, is_name
from plangate.documents.kinds import Kind
from plangate.documents.workspace import Workspace
from plangate.errors import EvidenceError, ExitCode, InputError
from plangate.evidence.bundle.adoption import Adoption, first_manifest, missing_bindings, other_bindings, plan_adoption
from plangate.evidence.bundle.layout import BundleFile
from plangate.evidence.bundle.reproduction import reproduced_suites
from plangate.evidence.bundle.unpacking import environment_name
from plangate.evidence.bundle.verification import Verification, verify_bundle
from plangate.evidence.ledger import Ledger
from plangate.promotion.acts import adoption_of
from plangate.promotion.record import Record
from plangate.releases.lock import extended, lock_text, read_lock
from plangate.releases.nested import change_lines
from plangate.releases.release import identify, lockable

__all__ = ["AdoptOptions", "adopt"]

_HIDDEN = ("secrets", "headers", "env")
"""What a customer's bindings hold of secrets stays out of a terminal and a log, references too."""
_OTHER_MAX = 200
_OTHER_SHOWN = 20
_FOLDERS = ("envs", "prompts", "evals")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptOptions:
    """Options of `plangate adopt`, as one value."""

    environment: str
    trust: Path
    workspace: Path
    source: str
    bindings: Path | None
    tier: str
    unreproduced: bool
    key: Path | None
    person: str | None
    passphrase_env: str | None
    as_json: bool


def adopt(file: Path, *, options: AdoptOptions) -> ExitCode:
    """Verify, see that it was reproduced, write; returns the exit status. Raises InputError and EvidenceError.

    Nothing is written unless the release that was verified is what the workspace would hold afterwards.
    """
    for name in (options.environment, options.source):
        if not is_name(name) or options.environment == options.source:
            raise InputError(f"{name!r} cannot be an environment's name here", code="bad-name", hint="--source NAME")
    signs = options.key is not None or options.person is not None
    signer = signer_of(options.key, person=options.person, passphrase_env=options.passphrase_env) if signs else None
    policy = load_trust(options.trust)
    with BundleFile(file) as bundle, TemporaryDirectory(prefix="plangate-") as scratch:
        found = verify_bundle(bundle, policy, now=real_world().now(), scratch=Path(scratch))
        if not found.ok:
            raise EvidenceError(
                f"this bundle does not verify: {found.problems[0].text}",
                code=found.problems[0].code,
                where=str(file),
                hint="`plangate verify FILE --trust FILE` lists all that is wrong",
            )
        suites = reproduced_suites(
            Ledger(options.workspace / "evidence"), policy, release=found.release, fingerprint=found.fingerprint
        )
        lacking = sorted(set(found.run["suites"]) - suites)
        if lacking and not options.unreproduced:
            return _not_reproduced(file, lacking, options)
        manifest = _manifest(Path(scratch), environment_name(bundle))
        with _trial(options.workspace) as trial:
            adoption = plan_adoption(bundle, manifest=manifest, workspace=Workspace.open(trial), source=options.source)
            written = _written(trial, adoption, found, options)
        _carry_over(options.workspace, written)
    if signer is not None:
        _record(found, signer, options)
    return _report(adoption, found, written, options, reproduced=not lacking)


def _manifest(scratch: Path, name: str) -> Environment:
    """The publisher's manifest, as verification has unpacked it."""
    path = document_path(Kind.ENVIRONMENT, name)
    manifest: Environment = read_document(Kind.ENVIRONMENT, (scratch / path).read_bytes(), path=path).sound()
    return manifest


@contextmanager
def _trial(root: Path) -> Iterator[Path]:
    """The workspace's documents in a folder of their own: what is wrong there was never written here."""
    with TemporaryDirectory(prefix="plangate-") as name:
        folder = Path(name)
        for part in _FOLDERS:
            if (root / part).is_dir():
                shutil.copytree(root / part, folder / part)
            else:
                (folder / part).mkdir()
        if (root / "plangate.lock").exists():
            shutil.copy2(root / "plangate.lock", folder / "plangate.lock")
        yield folder


def _written(trial: Path, adoption: Adoption, found: Verification, options: AdoptOptions) -> dict[str, bytes]:
    """Every file to write, checked as a workspace: path -> bytes."""
    files = dict(adoption.files)
    own = document_path(Kind.ENVIRONMENT, options.environment)
    if not (trial / own).exists():
        files[own] = _own_manifest(adoption, options)
    for path, data in files.items():
        (trial / path).parent.mkdir(parents=True, exist_ok=True)
        (trial / path).write_bytes(data)
    opened = Workspace.open(trial)
    upstream = opened.environment(options.source)
    made = identify(opened, upstream).release
    if made != found.release:
        raise EvidenceError(
            "the files make another release than the one whose results were verified",
            code="release-differs",
            where=options.source,
            hint=f"verified {found.release[:19]}, here {made[:19]}",
        )
    mine = opened.environment(options.environment)
    if options.source not in mine.promotion.sources:
        raise InputError(
            f"{options.environment} takes no release from {options.source}",
            code="not-a-source",
            where=str(mine.positions.of("promotion")) if "promotion" in mine.raw else own,
            hint=f"add promotion: {{from: [{options.source}]}}",
        )
    lock = read_lock(opened.lock_bytes())
    files["plangate.lock"] = lock_text(extended(lock, lockable(opened))).encode()
    if files["plangate.lock"] == opened.lock_bytes():
        del files["plangate.lock"]
    if not (options.workspace / TRUST_PATH).exists() and _reads_alike(options.trust, options.workspace):
        files[TRUST_PATH] = options.trust.read_bytes()
    return files


def _reads_alike(trust: Path, workspace: Path) -> bool:
    """Whether the policy names the same key files when it lies in the workspace."""
    return trust.resolve().parent == workspace.resolve() or b"file:" not in trust.read_bytes()


def _own_manifest(adoption: Adoption, options: AdoptOptions) -> bytes:
    if options.bindings is None:
        raise InputError(
            f"there is no environment {options.environment} yet",
            code="unknown-environment",
            hint="--bindings FILE says where your deployment is, and makes it",
        )
    mapping, text = bindings_in(options.bindings)
    if not mapping:
        raise InputError("holds no bindings", code="wrong-type", where=str(options.bindings), hint="targets: {...}")
    return first_manifest(
        options.environment, manifest=adoption.theirs, bindings=text, source=options.source, tier=options.tier
    )


def _carry_over(root: Path, files: Mapping[str, bytes]) -> None:
    """Write each file whole; manifests last, so that nothing points at what is not there yet."""
    order = sorted(files, key=lambda path: (path.startswith("envs/") and path.count("/") == 1, path))
    try:
        for path in order:
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            beside = place.with_name(f".{place.name}.part")
            beside.write_bytes(files[path])
            beside.replace(place)
        for part in _FOLDERS:
            (root / part).mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", code="unwritable-file", where=str(root), hint="then adopt again"
        ) from None


def _record(found: Verification, signer: Signer, options: AdoptOptions) -> None:
    """Say in the customer's own ledger that the release is here; once."""
    workspace = Workspace.open(options.workspace)
    record = Record.read(workspace)
    upstream = workspace.environment(options.source)
    moves = record.state.environment(options.source).promotions
    if moves and (moves[-1].release, moves[-1].revision) == (found.release, upstream.revision):
        return
    at = signing_time(real_world().now(), last_at=record.last_at)
    statement = adoption_of(
        identify(workspace, upstream),
        source=options.source,
        revision=upstream.revision,
        publisher=found.environment,
        release_before=moves[-1].release if moves else "",
        fingerprint=found.fingerprint,
        person=signer.person,
        at=at,
    )
    record.add([statement], key=signer.key, person=signer.person, at=at)


def _not_reproduced(file: Path, lacking: list[str], options: AdoptOptions) -> ExitCode:
    if options.as_json:
        print_document({"adopted": False, "not_reproduced": lacking})
        return ExitCode.FAILED
    click.echo(f"not adopted: nobody whom you trust reproduced {', '.join(lacking)} here")
    bindings = options.bindings or "mine.yaml"
    click.echo(f"  plangate reproduce {file} --bindings {bindings} --key FILE --as PERSON")
    click.echo(f"  the key needs a role in {options.trust}; --unreproduced adopts without")
    return ExitCode.FAILED


def _report(
    adoption: Adoption,
    found: Verification,
    written: Mapping[str, bytes],
    options: AdoptOptions,
    *,
    reproduced: bool,
) -> ExitCode:
    mine = Workspace.open(options.workspace).environment(options.environment)
    first = document_path(Kind.ENVIRONMENT, options.environment) in written
    unnamed = missing_bindings(adoption.theirs.raw["bindings"], mine.raw["bindings"])
    differing = other_bindings(adoption.theirs.raw["bindings"], mine.raw["bindings"])
    if options.as_json:
        document: dict[str, Any] = {
            "adopted": True, "release": found.release, "source": options.source, "environment": options.environment,
            "reproduced": reproduced, "files": sorted(written), "replaced": list(adoption.replaced),
            "new_bindings": list(unnamed), "first": first,
            "other_bindings": list(change_lines(differing, lines_max=_OTHER_MAX, hidden=_HIDDEN)),
        }  # fmt: skip
        print_document(document)
        return ExitCode.PASSED
    word = "was here already" if adoption.known else "is here"
    how = "reproduced by somebody you trust" if reproduced else "NOT REPRODUCED here"
    click.echo(f"release {found.release[7:19]} {word}, as {options.source}; {how}")
    for path in sorted(written):
        click.echo(f"  {'replaced' if path in adoption.replaced else 'wrote'} {path}")
    for name in unnamed:
        click.echo(f"note: the publisher's bindings have {name}, and yours have not")
    for line in change_lines(differing, lines_max=_OTHER_SHOWN, hidden=_HIDDEN):
        click.echo(f"note: bindings, the publisher's -> yours: {line}")
    if not (options.workspace / TRUST_PATH).exists():
        click.echo(f"note: {TRUST_PATH} is still to be written: whose word counts in your workspace")
    verb = f"plangate promote {options.environment}"
    more = " --validate --present --key FILE --as PERSON" if first else ""
    click.echo(f"next: {verb}{more}{placed_at(options.workspace)}")
    return ExitCode.PASSED
