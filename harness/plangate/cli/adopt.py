"""`plangate adopt FILE`: a publisher's release into the customer's own workspace, to be promoted there."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import json_option
from plangate.cli.signing import signing_options

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate reproduce release.tar --bindings mine.yaml --key me.key --as me@example.com      first
  plangate adopt release.tar --trust trust.yaml --into tenant --bindings mine.yaml    the first time
  plangate adopt release.tar --trust envs/trust.yaml --into tenant --key me.key --as me@example.com    after that
  plangate promote tenant                                                              what it would change
"""


@click.command("adopt", epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.tar")
@click.option("--into", "environment", required=True, metavar="ENV", help="Your environment.")
@click.option("--trust", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE",
              help="Whom you believe: the publisher's keys, and who reproduces for you.")  # fmt: skip
@click.option("--bindings", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Your bindings; needed once, to make ENV. After that they stay as they are.")  # fmt: skip
@click.option("--tier", type=click.Choice(["nonproduction", "production"]), default="nonproduction", show_default=True,
              help="What ENV is, when it is made.")  # fmt: skip
@click.option("--source", default="upstream", show_default=True, metavar="NAME",
              help="The environment that holds what the publisher released.")  # fmt: skip
@click.option("--unreproduced", is_flag=True, help="Adopt though nobody whom you trust has reproduced it.")
@click.option("-w", "--workspace", type=click.Path(path_type=Path, file_okay=False), default=Path(),
              show_default="this folder", metavar="DIR", help="Your workspace; an empty folder will do.")  # fmt: skip
@signing_options
@json_option
def command(file: Path, **options: object) -> int:
    """Take a bundle's release into your workspace as a source of promotions. Nothing is promoted by that.

    The bundle is verified first, and somebody whom you trust must have reproduced it. Its catalogs, prompts and suites
    are added as versions of their own; your bindings, gates, approvals and windows stay as they are. With --key the
    ledger says since when the release is here, which a soak counts from.

    Exit status: 0 it is there, 1 nobody reproduced it, 2 the input is wrong, or a file of yours is in the way, 4 the
    bundle does not verify.
    """
    from plangate.cli.adopting import AdoptOptions, adopt

    return int(adopt(file, options=AdoptOptions(**options)))  # type: ignore[arg-type]
