"""`plangate diff`: which decisions, limits and settings differ between two catalogs or environments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.oracles import catalog_oracle, environment_oracle
from plangate.cli.output import print_document
from plangate.errors import ExitCode, InputError

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace
    from plangate.entitlements.decision_diff import DecisionDiff, Said, ValueChange
    from plangate.entitlements.oracle import Oracle

__all__ = ["command"]

_ROWS_MAX = 200
"""Rows of the table in text; `--json` has all."""

_EPILOG = """\b
Examples:
  plangate diff prod stage                   what promoting stage's plans to prod would change
  plangate diff 3.1.0 3.2.0                  two versions of the only catalog
  plangate diff shop@1.0.0 stage --json
"""


@click.command("diff", epilog=_EPILOG)
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@click.option("--catalog", metavar="NAME", help="The plan catalog, where an environment pins several.")
@workspace_option
@json_option
def command(workspace: Path, *, before: str, after: str, catalog: str | None, as_json: bool) -> int:
    """Say which decisions differ between two plan catalogs, in sentences and in a table.

    BEFORE and AFTER are each an environment, a catalog as NAME@VERSION, or a VERSION. Decisions are those of a tenant
    with one seat, full consent, no usage and no add-on.

    Exit status: 0 whether or not something differs, 2 where the input is wrong.
    """
    from plangate.entitlements.decision_diff import decision_changes

    opened = load_workspace(workspace)
    sides = [_oracle(opened, text, catalog=catalog) for text in (before, after)]
    diff = decision_changes(*sides)
    if as_json:
        print_document(_as_document(diff, names=(before, after)))
    else:
        click.echo("\n".join(_as_text(diff)))
    return ExitCode.PASSED


def _oracle(workspace: Workspace, text: str, *, catalog: str | None) -> Oracle:
    """The oracle that one side of the comparison names."""
    if text in workspace.environment_names():
        return environment_oracle(workspace, text, catalog=catalog)
    name, at, version = text.rpartition("@")
    if at:
        return catalog_oracle(workspace, name, version)
    found = [
        (name, version) for name, version in workspace.catalog_versions() if version == text and catalog in (None, name)
    ]
    if len(found) == 1:
        return catalog_oracle(workspace, *found[0])
    raise _unknown_side(workspace, text, found=found)


def _unknown_side(workspace: Workspace, text: str, *, found: list[tuple[str, str]]) -> InputError:
    from plangate.documents.wording import did_you_mean, listed, shown

    if found:
        return InputError(
            f"several plan catalogs have a version {shown(text)}",
            code="several-catalogs",
            hint=f"name one: {listed('@'.join(one) for one in found)}",
        )
    known = [*workspace.environment_names(), *("@".join(one) for one in workspace.catalog_versions())]
    return InputError(
        f"there is no environment and no version of a plan catalog {shown(text)}",
        code="unknown-catalog-or-environment",
        hint=did_you_mean(text, known) or f"there are: {listed(known)}",
    )


def _as_text(diff: DecisionDiff) -> Iterator[str]:
    from plangate.entitlements.diff_sentences import sentences

    yield f"{_title(diff.before)} -> {_title(diff.after)}"
    yield ""
    if diff.empty:
        yield "No decision, limit or setting differs."
        return
    yield from sentences(diff)
    if diff.decision_changes:
        yield ""
        yield from _table(diff)


def _table(diff: DecisionDiff) -> Iterator[str]:
    """A row for each plan and capability whose effect changes, and for the states in which it changes alike."""
    states: dict[tuple[str, str, Said, Said], list[str]] = {}
    refusals = 0
    for change in diff.decision_changes:
        if change.before.effect is change.after.effect:
            refusals += 1
        else:
            states.setdefault((change.plan, change.capability, change.before, change.after), []).append(change.state)
    rows = [
        (plan, capability, ", ".join(seen), _said(before), _said(after))
        for (plan, capability, before, after), seen in states.items()
    ]
    if rows:
        yield from _aligned([("plan", "capability", "state", "before", "after"), *rows[:_ROWS_MAX]])
    if len(rows) > _ROWS_MAX:
        yield f"... and {len(rows) - _ROWS_MAX} more rows; --json has all"
    if refusals:
        yield f"{refusals} more decisions only give another reason; --json has them"


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _title(oracle: Oracle) -> str:
    return f"{oracle.catalog.name} {oracle.catalog.version}"


def _said(said: Said) -> str:
    return f"{said.effect.value} {said.reason}"


def _as_document(diff: DecisionDiff, *, names: tuple[str, str]) -> dict[str, object]:
    from plangate.entitlements.diff_sentences import sentences

    return {
        "before": {"name": names[0], "catalog": f"{diff.before.catalog.name}@{diff.before.catalog.version}"},
        "after": {"name": names[1], "catalog": f"{diff.after.catalog.name}@{diff.after.catalog.version}"},
        "decision_changes": [asdict(change) for change in diff.decision_changes],
        "limit_changes": [_value(change, "limit") for change in diff.limit_changes],
        "setting_changes": [_value(change, "setting") for change in diff.setting_changes],
        "term_changes": [
            {"what": change.what, "before": change.before, "after": change.after} for change in diff.term_changes
        ],
        "sentences": list(sentences(diff)),
    }


def _value(change: ValueChange, kind: str) -> dict[str, object]:
    return {"plan": change.plan, kind: change.name, "before": change.before, "after": change.after}
