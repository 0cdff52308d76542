"""What every verb of promotion does first: go on with what a killed command left."""

from __future__ import annotations

import click

from plangate.documents.workspace import Workspace

__all__ = ["finish_interrupted"]


def finish_interrupted(workspace: Workspace) -> None:
    """Carry out or drop what a killed command left, and say so. Where nothing was left, nothing is imported."""
    if not any((workspace.root / ".plangate" / "promoting").glob("*.json")):
        return
    from plangate.promotion.apply import promoting

    with promoting(workspace) as told:
        for line in told:
            click.echo(line, err=True)
