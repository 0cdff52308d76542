"""`plangate status`: where every environment stands."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document
from plangate.errors import ExitCode

if TYPE_CHECKING:
    from plangate.promotion.overview import Standing

__all__ = ["command"]


@click.command("status", epilog="\b\nExamples:\n  plangate status\n  plangate status --json\n")
@workspace_option
@json_option
def command(*, workspace: Path, as_json: bool) -> int:
    """Show every environment: revision, release, when it was validated, how long it has been there, holds.

    Exit status: 0; 1 where a manifest and the ledger contradict each other; 4 where the ledger does not verify.
    """
    from plangate.cli.clock import now as clock
    from plangate.cli.settling import finish_interrupted
    from plangate.promotion.glance import glance
    from plangate.promotion.graph import in_order
    from plangate.promotion.overview import standing
    from plangate.promotion.unmet import instant
    from plangate.releases.release import identify

    opened = load_workspace(workspace)
    finish_interrupted(opened)
    seen = glance(opened)
    now = instant(clock())
    found = []
    environments = {name: opened.environment(name) for name in opened.environment_names()}
    for name in in_order({name: one.promotion.sources for name, one in environments.items()}):
        environment = environments[name]
        state = seen.state if seen else None
        found.append(standing(environment, identify(opened, environment), state=state, now=now))
    ignored = seen.ignored if seen else 0
    if as_json:
        print_document({"environments": [asdict(one) for one in found], "ignored": ignored})
    else:
        click.echo("\n".join(_lines(found)))
        if ignored:
            some = "1 entry of the ledger is" if ignored == 1 else f"{ignored} entries of the ledger are"
            click.echo(f"{some} signed by nobody who is trusted for that, and count for nothing")
        if seen is None:
            click.echo("no trust policy (envs/trust.yaml): the ledger cannot be believed, nothing can be promoted")
    return ExitCode.FAILED if any(one.astray for one in found) else ExitCode.PASSED


def _lines(found: list[Standing]) -> list[str]:
    rows = [("environment", "revision", "release", "validated", "there for", "")]
    rows += [
        (
            one.environment,
            str(one.revision),
            one.release[7:19],
            one.validated or "never",
            one.since or "not recorded",
            "; ".join(_remarks(one)),
        )
        for one in found
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(6)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _remarks(one: Standing) -> list[str]:
    held = [f"HELD: {hold.reason}" for hold in one.holds]
    bypassed = [f"BYPASSED: {text}" for text in one.bypassed]
    through = ["LET THROUGH: its gates passed, its suites did not"] if one.let_through else []
    return [*held, *bypassed, *through, *filter(None, (one.drift, one.astray))]
