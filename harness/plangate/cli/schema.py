"""`plangate schema`: the JSON Schema of a document kind, for editors and other programs."""

from __future__ import annotations

import click

from plangate.errors import ExitCode, InputError

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate schema --list             the kinds, and where such documents lie
  plangate schema plan-catalog       print one schema
  plangate schema suite > suite.json put "# yaml-language-server: $schema=suite.json" at the top of a file
"""


@click.command("schema", epilog=_EPILOG)
@click.argument("kind", required=False)
@click.option("--list", "as_list", is_flag=True, help="List the kinds instead.")
def command(kind: str | None, *, as_list: bool) -> int:
    """Print the JSON Schema (draft 2020-12) of a document KIND."""
    from plangate.documents.kinds import Kind, schema_text
    from plangate.documents.wording import did_you_mean, listed, shown

    if as_list:
        for each in Kind:
            click.echo(f"{each.value:<14}{each.folder}")
        return ExitCode.PASSED
    known = [each.value for each in Kind]
    if kind not in known:
        message = f"there is no document kind {shown(kind)}" if kind else "which kind?"
        hint = (did_you_mean(kind, known) if kind else "") or f"one of {listed(known)}"
        raise InputError(message, code="unknown-kind", hint=hint)
    click.echo(schema_text(Kind(kind)), nl=False)
    return ExitCode.PASSED
