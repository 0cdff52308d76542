"""`plangate bundle ENV`: one file with which a customer checks and repeats what was validated."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document
from plangate.errors import ExitCode

__all__ = ["command"]

_EPILOG = """\b
Example:
  plangate run stage && plangate bundle stage -o release.tar
  plangate verify release.tar --trust trust.yaml        what the customer does with it, offline
"""


@click.command(epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE.tar",
    help="The bundle to write; equal content gives equal bytes.",
)  # fmt: skip
@workspace_option
@json_option
def command(environment: str, *, output: Path, workspace: Path, as_json: bool) -> int:
    """Pack ENV's release, its suites, its newest finished run and its evidence into FILE.tar (an OCI image layout)."""
    from plangate.evidence.bundle.layout import write_bundle
    from plangate.evidence.bundle.packing import annotations_of, bundle_files

    opened = load_workspace(workspace)
    files, identity = bundle_files(opened, environment)
    write_bundle(output, files, annotations=annotations_of(opened.environment(environment), identity))
    run = json.loads(files["run.json"])
    signed = sum(title.endswith(".dsse.json") for title in files)
    size = output.stat().st_size
    if as_json:
        with output.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        document = {
            "file": str(output), "sha256": sha256, "bytes": size, "release": identity.release,
            "environment": environment, "run": run["run"], "verdict": run["verdict"], "statements": signed,
        }  # fmt: skip
        print_document(document)
    else:
        click.echo(f"{output}: {size:,} bytes, run {run['run']} ({run['verdict']}), {signed} signed statements")
    if not signed:
        click.echo("nothing in the ledger is about this release: verify will refuse this bundle", err=True)
    return ExitCode.PASSED
