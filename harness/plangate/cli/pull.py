"""`plangate pull REFERENCE -o FILE.tar`: a bundle out of an OCI registry, byte for byte as it was pushed."""

from __future__ import annotations

from pathlib import Path

import click

from plangate.cli.options import json_option
from plangate.cli.transferring import access_by, registry_options, say_transferred, telling

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate pull registry.example/contoso/support-copilot:4.2.0 -o release.tar
  plangate pull registry.example/contoso/support-copilot@sha256:... -o release.tar     that one, whatever a tag says
"""


@click.command("pull", epilog=_EPILOG)
@click.argument("reference", metavar="REGISTRY/REPOSITORY:TAG")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE.tar",
    help="The bundle to write; nothing is written unless all of it is right.",
)  # fmt: skip
@registry_options
@json_option
def command(
    reference: str, *, output: Path, ca: Path | None, proxy: str | None, plain_http: bool, as_json: bool
) -> int:
    """Download a bundle from an OCI registry. Whom to believe is another question: plangate verify answers it.

    Exit status: 0 it is here, 2 the input is wrong, the registry has no such thing or lets nobody in, 3 it does not
    answer, 4 what it gives is not a whole bundle.
    """
    from plangate.evidence.registry.reference import read_reference
    from plangate.evidence.registry.transfer import pull

    place = read_reference(reference)
    access = access_by(ca=ca, proxy=proxy, plain_http=plain_http)
    with telling() as told:
        done = pull(place, output, access=access, told=told)
    return say_transferred(done, place, verb="pulled", as_json=as_json)
