"""`plangate runs`: what has been run here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document
from plangate.cli.placing import placed_commands
from plangate.errors import StoreError
from plangate.verdicts.result import RunSummary

if TYPE_CHECKING:
    from plangate.store.reader import StoredRun

__all__ = ["command"]


@click.command(epilog="\b\nExamples:\n  plangate runs\n  plangate runs --limit 5 --json\n")
@workspace_option
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="The newest so many.")
@json_option
def command(*, workspace: Path, limit: int, as_json: bool) -> int:
    """List the stored runs, newest first, with their verdicts."""
    from plangate.store.folder import RunFolder

    root = load_workspace(workspace).root
    folder = RunFolder(root)
    found = [_seen(name, run) for (name, run), _ in zip(folder.opened(), range(limit), strict=False)]
    if as_json:
        print_document({"runs": [_entry(one) if isinstance(one, RunSummary) else one for one in found]})
    elif not found:
        click.echo(placed_commands("no runs yet: `plangate run ENV` starts one", root=root))
    else:
        for line in _table([_row(one) for one in found if isinstance(one, RunSummary)]):
            click.echo(line)
        for one in found:
            if not isinstance(one, RunSummary):
                click.echo(f"{one['run']}  cannot be read: {one['message']} [{one['code']}]")
    return 0


def _seen(name: str, run: StoredRun | StoreError) -> RunSummary | dict[str, str]:
    """The run's summary, or why there is none."""
    try:
        if isinstance(run, StoreError):
            raise run
        return run.summary()
    except StoreError as error:
        return {"run": name, "code": error.code, "message": error.message}


def _entry(summary: RunSummary) -> dict[str, object]:
    header, totals = summary.header, summary.totals
    return {
        "run": header.run, "environment": header.environment, "verdict": summary.verdict, "started": header.started,
        "finished": header.finished, "release": header.release, "fingerprint": summary.fingerprint,
        "expected": totals.expected, "executed": totals.executed, "leaked": summary.leaked,
        "shard": header.shard, "selection": header.selection, "stopped": header.stopped,
    }  # fmt: skip


def _row(summary: RunSummary) -> tuple[str, ...]:
    header, totals = summary.header, summary.totals
    part = header.shard or ("selection" if header.selection else "")
    return (
        header.run, header.environment, summary.verdict if header.finished else f"{summary.verdict}, unfinished",
        f"{totals.executed:,}/{totals.expected:,} cells", f"{summary.leaked:,} leaks", part,
        summary.fingerprint[7:19],
    )  # fmt: skip


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
