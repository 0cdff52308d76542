"""`plangate push FILE.tar REFERENCE`: a bundle into an OCI registry."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import json_option
from plangate.cli.transferring import access_by, registry_options, say_transferred, telling

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate push release.tar registry.example/contoso/support-copilot:4.2.0
  PLANGATE_REGISTRY_USER=ci PLANGATE_REGISTRY_PASSWORD=... plangate push release.tar registry.example/team/bundles:4.2.0
"""


@click.command("push", epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.tar")
@click.argument("reference", metavar="REGISTRY/REPOSITORY:TAG")
@registry_options
@json_option
def command(file: Path, reference: str, *, ca: Path | None, proxy: str | None, plain_http: bool, as_json: bool) -> int:
    """Upload a bundle to an OCI registry, and print the digest that customers pull by.

    Credentials come from PLANGATE_REGISTRY_USER and PLANGATE_REGISTRY_PASSWORD, or from what docker login wrote.

    Exit status: 0 it is there, 2 the input is wrong or the registry lets nobody in, 3 it does not answer, 4 FILE is
    not a whole bundle.
    """
    from plangate.evidence.registry.reference import read_reference
    from plangate.evidence.registry.transfer import push

    place = read_reference(reference)
    access = access_by(ca=ca, proxy=proxy, plain_http=plain_http)
    with telling() as told:
        done = push(file, place, access=access, told=told)
    return say_transferred(done, place, verb="pushed", as_json=as_json)
