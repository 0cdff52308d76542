"""What push and pull share: their options, their progress, and what they say at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plangate.cli.output import print_document
from plangate.errors import ExitCode
from plangate.line_guard import drawing

if TYPE_CHECKING:
    from plangate.evidence.registry.client import Access
    from plangate.evidence.registry.reference import Reference
    from plangate.evidence.registry.transfer import Transferred

__all__ = ["access_by", "registry_options", "say_transferred", "telling"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def registry_options(command: _Command) -> _Command:
    """Adds `--ca`, `--proxy` and `--plain-http`, to be handed to `access_by`."""
    for option in reversed((
        click.option(
            "--ca", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
            help="PEM file of an authority to trust beside the system's; SSL_CERT_FILE replaces the system's.",
        ),
        click.option(
            "--proxy", type=click.Choice(["env"]),
            help="Go through the proxy that HTTPS_PROXY and NO_PROXY name; left out: directly.",
        ),
        click.option(
            "--plain-http", is_flag=True, help="Ask without TLS; only for a registry in a network of your own."
        ),
    )):  # fmt: skip
        command = option(command)
    return command


def access_by(*, ca: Path | None, proxy: str | None, plain_http: bool) -> Access:
    """How the registry is reached, by the options and this process's environment."""
    import os

    from plangate.evidence.registry.client import Access

    if ca is not None and plain_http:
        raise click.UsageError("--ca and --plain-http exclude each other.")
    return Access(environ=os.environ, ca=ca, proxy=proxy, plain_http=plain_http)


@contextmanager
def telling() -> Iterator[Callable[[int, int], None]]:
    """A line on a terminal that counts blobs, and is gone at the end; nothing where nobody watches."""
    watched = sys.stderr.isatty()

    def told(done: int, count: int) -> None:
        if watched:
            with drawing(sys.stderr):
                click.echo(f"\r\033[K{done:,} of {count:,} blobs", nl=False, err=True)

    try:
        yield told
    finally:
        if watched:
            with drawing(sys.stderr):
                click.echo("\r\033[K", nl=False, err=True)


def say_transferred(done: Transferred, place: Reference, *, verb: str, as_json: bool) -> ExitCode:
    """Print what went over."""
    if as_json:
        print_document(asdict(done))
        return ExitCode.PASSED
    click.echo(f"{verb} {done.reference}: {done.bytes:,} bytes in {done.blobs:,} blobs, {done.sent:,} of them sent")
    click.echo(f"{place.registry}/{place.repository}@{done.digest}")
    return ExitCode.PASSED
