"""`plangate reproduce FILE`: the publisher's cells, against your own deployment."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import json_option

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate verify release.tar --trust trust.yaml        first: is the bundle what it says?
  plangate reproduce release.tar --bindings mine.yaml
  plangate reproduce release.tar --bindings mine.yaml --key me.key --as me@example.com

The bindings file holds what stands under `bindings:` in an environment's manifest: your targets, secrets as
references, policy. Relative paths in it start from its own folder; the run is kept there in .plangate/runs.
"""


@click.command(epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--bindings", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE",
              help="Your bindings: where your deployment is and how it is reached.")  # fmt: skip
@click.option("-w", "--workspace", "home", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              show_default="the bindings' folder", help="Where relative paths in the bindings start.")  # fmt: skip
@click.option("--tier", type=click.Choice(["nonproduction", "production"]), help="What yours is, where it differs.")
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Sign what you found, with your own key.")  # fmt: skip
@click.option("--as", "person", metavar="PERSON", help="Whose word it is.")
@click.option("--passphrase-env", metavar="VAR", help="Variable with the key's passphrase.")
@json_option
def command(file: Path, **options: object) -> int:
    """Run the bundle's suites against your deployment and compare with the publisher's results, cell by cell.

    Exit status: 0 every decision is the same, 1 some differ (they are named), 3 it could not be judged.
    """
    from plangate.cli.reproducing import ReproduceOptions, reproduce

    return int(reproduce(file, options=ReproduceOptions(**options)))  # type: ignore[arg-type]
