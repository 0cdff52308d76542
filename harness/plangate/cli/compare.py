"""`plangate compare RUN RUN`: which cells decide differently."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document
from plangate.errors import ExitCode

if TYPE_CHECKING:
    from plangate.store.comparison import Difference
    from plangate.verdicts.result import CellResult

__all__ = ["command"]

_SHOWN_MAX = 1_000
_CHANGES_MAX = 50


@click.command(epilog="\b\nExamples:\n  plangate compare r-20261121-0900 latest\n  plangate compare OLD NEW --json\n")
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@workspace_option
@json_option
def command(before: str, after: str, *, workspace: Path, as_json: bool) -> int:
    """Compare two runs cell by cell, by cell id.

    A limit that only one of them tells is no difference: not every way to ask can tell it.

    Exit status: 0 both decided alike everywhere, 1 a decision, or what both tell of a limit, differs or a cell is only
    in one of them.
    """
    from plangate.store.comparison import differences
    from plangate.store.folder import RunFolder
    from plangate.store.reader import StoredRun

    folder = RunFolder(load_workspace(workspace).root)
    with StoredRun(folder.find(before)) as one, StoredRun(folder.find(after)) as other:
        summaries = one.summary(), other.summary()
        fingerprints = summaries[0].fingerprint, summaries[1].fingerprint
        details = summaries[0].details, summaries[1].details
        found = list(islice(differences(one, other), _SHOWN_MAX + 1))
    if as_json:
        shown = [_entry(difference) for difference in found[:_SHOWN_MAX]]
        same = not found
        print_document({"same": same, "fingerprints": fingerprints, "details": details, "differences": shown})
    else:
        _print(found, fingerprints)
    return ExitCode.FAILED if found else ExitCode.PASSED


def _entry(difference: Difference) -> dict[str, object]:
    known = difference.after or difference.before
    return {
        "cell": known.cell if known else "",
        "suite": known.suite if known else "",
        "axes": dict(known.axes) if known else {},
        "before": _decisions(difference.before),
        "after": _decisions(difference.after),
        "changes": _changes(difference),
    }


def _changes(difference: Difference) -> list[dict[str, object]]:
    from dataclasses import asdict

    from plangate.reports.answers import answer_changes

    before, after = difference.before, difference.after
    if before is None or after is None:
        return []
    return [asdict(one) for one in answer_changes(before.observed, after.observed)][:_CHANGES_MAX]


def _decisions(result: CellResult | None) -> list[dict[str, object]] | None:
    if result is None:
        return None
    return [
        {"effect": one.effect, "reason": one.reason, "fault": one.fault, "count": one.count} for one in result.observed
    ]


def _print(found: list[Difference], fingerprints: tuple[str, str]) -> None:
    if not found:
        click.echo(f"both runs decide alike: {fingerprints[0]}")
        return
    from plangate.reports.answers import answer_lines

    for difference in found[:_SHOWN_MAX]:
        known = difference.after or difference.before
        if known is not None:
            place = " / ".join(str(value) for value in known.axes.values())
            click.echo(f"{known.cell}  {place}: {_text(difference.before)} -> {_text(difference.after)}")
            for line in answer_lines(difference.before, difference.after):
                click.echo(f"    {line}")
    more = " or more" if len(found) > _SHOWN_MAX else ""
    click.echo(f"{min(len(found), _SHOWN_MAX):,}{more} cells differ")


def _text(result: CellResult | None) -> str:
    if result is None:
        return "not run"
    return " | ".join(f"{one.effect or one.fault} {one.reason or ''}".strip() for one in result.observed)
