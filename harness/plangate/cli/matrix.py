"""`plangate matrix ENV`: what each plan gets, and how many cells and observations would prove it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document, print_document_with_rows
from plangate.cli.screen import echo_wrapped, screen_width, wants_colour

if TYPE_CHECKING:
    from plangate.engine.session import Prepared
    from plangate.entitlements.oracle import Oracle
    from plangate.matrix.cell import AxisValue, Cell
    from plangate.matrix.coverage import Coverage
    from plangate.matrix.table import TableEntry
    from plangate.reports.matrix_table import TableRow

__all__ = ["command"]


@click.command(
    epilog="""\b
Examples:
  plangate matrix stage                        the plans of stage, and the size of its suites
  plangate matrix stage --suite gating --json  one suite, for a program
  plangate matrix stage --csv > matrix.csv     the table for a spreadsheet
  plangate matrix stage --cells --csv          every cell, with what it must decide
"""
)
@click.argument("environment", metavar="ENV")
@workspace_option
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="Only this suite; may be given more than once.")
@click.option("--cells", "list_cells", is_flag=True, help="List every cell with what it must decide.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values instead of text.")
@json_option
def command(
    environment: str, *, workspace: Path, suites: tuple[str, ...], list_cells: bool, as_csv: bool, as_json: bool
) -> int:
    """Print the plan matrix of an environment: plans across, capabilities down, a state at a time.

    Below it stands what would be run to prove it: cells and observations of each suite and, for t-way suites, what
    they do not cover.
    """
    from plangate.engine.session import prepare

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    prepared = prepare(load_workspace(workspace), environment, environ={}, suites=suites or None)
    if as_json:
        _print_json(prepared, list_cells=list_cells)
    elif list_cells:
        _print_cells(prepared, as_csv=as_csv)
    elif as_csv:
        from plangate.reports.matrix_table import write_matrix_csv

        write_matrix_csv((_row(entry) for entry in _table(prepared)), sys.stdout)
    else:
        _print_text(prepared)
    return 0


def _oracles(prepared: Prepared) -> list[Oracle]:
    """One oracle for each catalog that the suites span, in order of the suites."""
    return list({oracle.catalog.name: oracle for oracle in prepared.oracles.values()}.values())


def _table(prepared: Prepared) -> Iterator[TableEntry]:
    from plangate.matrix.table import decision_table

    for oracle in _oracles(prepared):
        yield from decision_table(oracle)


def _row(entry: TableEntry) -> TableRow:
    from plangate.reports.matrix_table import TableRow

    return TableRow(
        plan=entry.plan,
        state=entry.state,
        capability=entry.capability,
        effect=entry.effect,
        reason=entry.reason,
        note=entry.note,
    )


def _print_text(prepared: Prepared) -> None:
    from plangate.matrix.table import decision_table
    from plangate.reports.matrix_table import print_matrix

    colour, width = wants_colour(sys.stdout), screen_width(sys.stdout)
    for oracle in _oracles(prepared):
        rows = [_row(entry) for entry in decision_table(oracle)]
        click.echo(f"{oracle.catalog.name} {oracle.catalog.version} in {prepared.environment.name}\n")
        print_matrix(rows, sys.stdout, colour=colour, width=width)
        if any("~" in row.note for row in rows):
            click.echo("~ soft limit: use beyond it is allowed and must leave an audit record")
        click.echo()
    cells = observations = 0
    for plan in prepared.suites:
        matrix = prepared.matrices[plan.suite.name]
        cells += len(matrix)
        observations += len(matrix) * len(plan.passes)
        echo_wrapped(
            f"suite {plan.suite.name} {plan.suite.version}: {len(matrix):,} cells x {len(plan.passes)} = "
            f"{len(matrix) * len(plan.passes):,} observations; {matrix.coverage}",
            hanging=2,
        )
    if len(prepared.suites) > 1:
        click.echo(f"{len(prepared.suites)} suites: {cells:,} cells, {observations:,} observations")


def _print_json(prepared: Prepared, *, list_cells: bool) -> None:
    suites = [
        {
            "suite": plan.suite.name,
            "version": plan.suite.version,
            "cells": len(plan.matrix),
            "observations": len(plan.matrix) * len(plan.passes),
            "axes": _axes([prepared.matrices[plan.suite.name].axes]),
            "coverage": _coverage(prepared.matrices[plan.suite.name].coverage),
        }
        for plan in prepared.suites
    ]
    document = {
        "environment": prepared.environment.name,
        "catalogs": {oracle.catalog.name: oracle.catalog.version for oracle in _oracles(prepared)},
        "cells": sum(len(plan.matrix) for plan in prepared.suites),
        "observations": sum(len(plan.matrix) * len(plan.passes) for plan in prepared.suites),
        "axes": _axes([prepared.matrices[plan.suite.name].axes for plan in prepared.suites]),
        "coverage": {plan.suite.name: plan.coverage for plan in prepared.suites},
        "table": [
            {
                "plan": entry.plan,
                "state": entry.state,
                "capability": entry.capability,
                "effect": entry.effect,
                "reason": entry.reason,
                "note": entry.note,
            }
            for entry in _table(prepared)
        ],
        "suites": suites,
    }
    if list_cells:
        print_document_with_rows(document, "list", _expected_cells(prepared))
    else:
        print_document(document)


def _axes(several: Sequence[Mapping[str, tuple[AxisValue, ...]]]) -> dict[str, list[AxisValue]]:
    """The values on each axis, of one suite or of several together."""
    from plangate.documents.suite import AXES

    merged: dict[str, list[AxisValue]] = {}
    for axis in AXES:
        met = [(type(value), value) for axes in several for value in axes.get(axis, ())]
        if met:
            merged[axis] = [value for _, value in dict.fromkeys(met)]
    return merged


def _coverage(coverage: Coverage) -> dict[str, Any]:
    if coverage.strength is None:
        return {"kind": "exhaustive", "axes": list(coverage.axes), "note": coverage.note}
    return {
        "kind": "t-way",
        "strength": coverage.strength,
        "axes": list(coverage.axes),
        "cells_if_exhaustive": coverage.space,
        "combinations": coverage.total,
        "impossible": coverage.impossible,
        "possible": coverage.possible,
        "covered": coverage.covered,
        "complete": coverage.complete,
        "not_covered": list(coverage.not_covered),
        "note": coverage.note,
    }


def _print_cells(prepared: Prepared, *, as_csv: bool) -> None:
    entries = _expected_cells(prepared)
    if as_csv:
        from plangate.documents.suite import AXES

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["cell", "suite", *AXES, "effect", "reason", "rule"])
        for entry in entries:
            ends = entry["effect"], entry["reason"], entry["rule"]
            writer.writerow([entry["cell"], entry["suite"], *map(_text, entry["axes"].values()), *ends])
        return
    from plangate.reports.safe_text import clean

    for entry in entries:
        shown = " ".join(
            f"{axis}={clean(_text(value))}" for axis, value in entry["axes"].items() if _worth(axis, value)
        )
        click.echo(f"{entry['cell']} {entry['suite']} {shown} -> {entry['effect']} {entry['reason']} ({entry['rule']})")


def _expected_cells(prepared: Prepared) -> Iterator[dict[str, Any]]:
    for plan in prepared.suites:
        oracle = prepared.oracles[plan.suite.name]
        for cell in plan.matrix:
            yield _expected_cell(cell, oracle=oracle, suite=plan.suite.name)


def _expected_cell(cell: Cell, *, oracle: Oracle, suite: str) -> dict[str, Any]:
    from plangate.documents.suite import AXES

    decision = oracle.decide(cell.subject, cell.request)
    return {
        "cell": cell.id,
        "suite": suite,
        "axes": dict(zip(AXES, cell.axes, strict=True)),
        "effect": decision.effect,
        "reason": decision.reason,
        "rule": decision.rule,
    }


def _worth(axis: str, value: AxisValue) -> bool:
    """Whether a value is worth a word: not where it is what it always is."""
    from plangate.matrix.identity import NORMAL

    return axis not in NORMAL or value != NORMAL[axis]


def _text(value: AxisValue) -> str:
    from plangate.matrix.constraints import axis_text

    return axis_text(value)
