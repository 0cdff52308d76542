"""`plangate ledger`: is the record whole, and what does it say?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document
from plangate.errors import EvidenceError, ExitCode

if TYPE_CHECKING:
    from plangate.evidence.ledger import Ledger, LedgerEntry

__all__ = ["command"]


@click.group(epilog="\b\nExamples:\n  plangate ledger verify\n  plangate ledger show --limit 20\n")
def command() -> None:
    """Check and read the evidence ledger of a workspace: evidence/ledger/."""


@command.command("verify")
@workspace_option
@json_option
def verify(workspace: Path, *, as_json: bool) -> int:
    """Check every entry, envelope and checkpoint. Exit status: 0 nothing was changed, 4 something was."""
    from plangate.evidence.ledger import Ledger

    ledger = Ledger(load_workspace(workspace).root / "evidence")
    problems = ledger.verify()
    frontier = ledger.frontier()
    if as_json:
        listed = [{"code": one.code, "path": one.path, "text": one.message} for one in problems]
        root = f"sha256:{frontier.root.hex()}"
        document = {"ok": not problems, "size": frontier.size, "root": root, "problems": listed}
        print_document(document)
    else:
        for problem in problems:
            click.echo(str(problem))
        click.echo(f"{frontier.size:,} entries, root {frontier.root.hex()[:16]}: " + _word(len(problems)))
    return ExitCode.EVIDENCE if problems else ExitCode.PASSED


def _word(problems: int) -> str:
    return f"{problems} {'problem' if problems == 1 else 'problems'}" if problems else "whole"


@command.command("show")
@workspace_option
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many.")
@json_option
def show(workspace: Path, *, limit: int, as_json: bool) -> int:
    """List the newest entries: when, what was stated, about which release, by which key. Nothing is verified here."""
    from collections import deque

    from plangate.evidence.ledger import Ledger

    ledger = Ledger(load_workspace(workspace).root / "evidence")
    newest = deque(ledger.entries(), maxlen=limit)
    rows = list(_rows(ledger, newest))
    if as_json:
        print_document({"entries": rows})
    elif not rows:
        click.echo("nothing is recorded yet")
    for row in () if as_json else rows:
        click.echo(f"{row['index']:>6}  {row['at']}  {row['kind']:<22}  {row['release'][:19]}  {row['keyid']}")
    return ExitCode.PASSED


def _rows(ledger: Ledger, entries: Iterable[LedgerEntry]) -> Iterator[dict[str, Any]]:
    from plangate.evidence.envelope import open_envelope
    from plangate.evidence.statements import RELEASE_SUBJECT

    for entry in entries:
        row = {"index": entry.index, "at": entry.at, "digest": entry.digest, "kind": "?", "release": "?", "keyid": "?"}
        try:
            envelope = open_envelope(ledger.envelope(entry.digest))
            statement = envelope.statement()
        except EvidenceError as error:
            yield {**row, "kind": error.code}
            continue
        kind = statement.predicate_type.rstrip("/").split("/")[-2:][0]
        yield {
            **row, "kind": kind, "release": statement.digest_of(RELEASE_SUBJECT) or "?",
            "keyid": envelope.keyid, "predicateType": statement.predicate_type,
        }  # fmt: skip
