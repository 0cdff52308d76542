"""`plangate verify FILE`: who validated what, when, under which suites, and what was not checked. Offline."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from plangate.cli.options import json_option
from plangate.cli.output import print_document
from plangate.cli.screen import echo_wrapped
from plangate.errors import EvidenceError, ExitCode

if TYPE_CHECKING:
    from plangate.evidence.bundle.verification import Judged, Verification
    from plangate.evidence.trust import TrustPolicy

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate verify release.tar --trust trust.yaml
  plangate verify release.tar --trust trust.yaml --json

TRUST is your own list of whom you believe, not the publisher's: plangate schema trust.
"""


@click.command(epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--trust", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE",
              help="Whom you believe: keys, roles, what each may say.")  # fmt: skip
@click.option("--time", "now", metavar="INSTANT", help="Judge as of this time (2026-01-01T00:00:00Z), not now.")
@json_option
def command(file: Path, *, trust: Path, now: str | None, as_json: bool) -> int:
    """Check a bundle against your own trust policy. Needs no network and nothing else from the publisher.

    Exit status: 0 everything holds and each suite has a trusted pass, 4 something does not hold.
    """
    from plangate.cli.trusting import load_trust

    policy = load_trust(trust)
    found = _verified(file, policy, now=_instant(now))
    if as_json:
        print_document(_document(found))
    else:
        for line in _lines(found, policy):
            echo_wrapped(line, hanging=13 if line.startswith("NOT CHECKED") else 4)
    return ExitCode.PASSED if found.ok else ExitCode.EVIDENCE


def _verified(file: Path, policy: TrustPolicy, *, now: str) -> Verification:
    from plangate.evidence.bundle.layout import BundleFile
    from plangate.evidence.bundle.verification import Verification, verify_bundle

    try:
        with BundleFile(file) as bundle, TemporaryDirectory(prefix="plangate-") as scratch:
            return verify_bundle(bundle, policy, now=now, scratch=Path(scratch))
    except EvidenceError as error:
        damaged = Verification()
        damaged.fail(error.code, error.message)
        return damaged


def _instant(text: str | None) -> str:
    from plangate.cli.world import real_world
    from plangate.entitlements.instants import instant_of
    from plangate.errors import InputError

    if text is not None and instant_of(text) is None:
        raise InputError(f"{text!r} is no instant", code="bad-format", hint="write it as 2026-01-01T00:00:00Z")
    return text or real_world().now()


def _document(found: Verification) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "release": found.release,
        "environment": found.environment,
        "fingerprint": found.fingerprint,
        "run": found.run.get("run", ""),
        "results": found.results,
        "requirements": {name: list(shown) for name, shown in sorted(found.requirements.items())},
        "statements": [_statement(one) for one in found.statements],
        "problems": [{"code": one.code, "text": one.text} for one in found.problems],
        "not_checked": found.not_checked,
    }


def _statement(one: Judged) -> dict[str, Any]:
    from plangate.evidence.trust import Accepted

    verdict = one.verdict
    trusted = isinstance(verdict, Accepted)
    return {
        "predicateType": one.statement.predicate_type if one.statement else "",
        "signer": verdict.person if isinstance(verdict, Accepted) else one.envelope.keyid,
        "role": verdict.role if isinstance(verdict, Accepted) else "",
        "ok": trusted,
        "index": one.index,
        "at": one.at,
        "digest": one.digest,
        "why": "" if isinstance(verdict, Accepted) else verdict.text,
    }


def _lines(found: Verification, policy: TrustPolicy) -> list[str]:
    run = found.run
    lines = []
    if found.release:
        lines.append(f"release {found.release[7:19]} ({run.get('app', '?')}) in {found.environment}")
        lines.append(f"validated by run {run['run']}, {run['started']} to {run['finished']}: {found.results:,} cells")
        lines += [
            f"  suite {name} {suite['version']}: {suite['totals'].get('passed', 0):,} of "
            f"{suite['totals'].get('expected', 0):,} cells as sold; {suite.get('coverage', '')}"
            for name, suite in sorted(run["suites"].items())
        ]
        lines += [f"  suite {name} shows {', '.join(ids)}" for name, ids in sorted(found.requirements.items()) if ids]
        lines.append(f"fingerprint {found.fingerprint}")
    for one in found.statements:
        entry = _statement(one)
        kind = entry["predicateType"].rstrip("/").split("/")[-2:][0]
        mark = "ok " if entry["ok"] else "NO "
        role = f" as {entry['role']}" if entry["role"] else f": {entry['why']}"
        lines.append(f"  {mark} {one.at}  {kind}, signed by {entry['signer']}{role}")
    lines += [f"NOT CHECKED  {text}" for text in found.not_checked]
    lines += [f"PROBLEM  {one.text} [{one.code}]" for one in found.problems]
    whom = f"your trust policy, version {policy.trust.version}"
    return [*lines, f"VERIFIED against {whom}" if found.ok else f"NOT VERIFIED against {whom}"]
