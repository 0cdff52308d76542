"""Runs the benchmarks, stores what each found, prints the table and writes it into docs/reference/benchmarks.md."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import machine
from benchmarks.figures import Result, read_results
from benchmarks.page import fill, table

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = (
    "in_process",
    "passes",
    "workers",
    "over_http",
    "peers",
    "memory",
    "startup",
    "check_catalog",
    "expansion",
    "decision_diff",
    "status",
    "verify_bundle",
    "ledger",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 every target is reached, 1 one is missed, 2 the arguments are wrong or a benchmark broke."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names_help = f"this one alone, or several: of {', '.join(BENCHMARKS)}"
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=names_help)
    parser.add_argument("--tiny", action="store_true", help="sizes that only show that a benchmark works; no page")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results", help="folder for the JSON files")
    parser.add_argument("--page", type=Path, help="page to fill; default: docs/reference/benchmarks.md")
    options = parser.parse_args(arguments)
    unknown = sorted({*options.only} - {*BENCHMARKS})
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    names = [name for name in BENCHMARKS if not options.only or name in options.only]
    results = [measured for name in names if (measured := _measure(name, tiny=options.tiny, out=options.out))]
    page = options.page or (None if options.tiny else ROOT / "docs" / "reference" / "benchmarks.md")
    print(table(results), flush=True)
    if page is not None:
        fill(page, read_results(options.out, names=BENCHMARKS))
    if len(results) < len(names):
        return 2
    return int(any(figure.reached is False for result in results for figure in result.figures))


def _measure(name: str, *, tiny: bool, out: Path) -> Result | None:
    """One benchmark, told and stored; None where it broke, which must not cost the figures of the others."""
    module = importlib.import_module(f"benchmarks.{name}")
    facts = machine.facts()
    print(f"{name}:", file=sys.stderr, flush=True)
    try:
        result = replace(module.measure(module.TINY if tiny else module.FULL), machine=facts)
    except Exception as error:
        print(f"  BROKEN: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return None
    result.write(out)
    for figure in result.figures:
        reached = {True: "reached", False: "MISSED", None: ""}[figure.reached]
        against = f" ({figure.against})" if figure.against else ""
        print(f"  {figure.what}: {figure.plangate}{against}: {figure.shown}, {figure.must} {reached}", file=sys.stderr)
    for text in result.left_out:
        print(f"  LEFT OUT: {text}", file=sys.stderr)
    return result


if __name__ == "__main__":
    sys.exit(main())
