"""What push and pull share: their option, their progress, and what they say at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plangate.cli.output import print_document
from plangate.errors import ExitCode
from plangate.line_guard import drawing

if TYPE_CHECKING:
    from plangate.evidence.registry.reference import Reference
    from plangate.evidence.registry.transfer import Transferred

__all__ = ["registry_options", "say_transferred", "telling"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def registry_options(command: _Command) -> _Command:
    """Adds `--plain-http` as `plain_http`."""
    return click.option(
        "--plain-http", is_flag=True, help="Ask without TLS; only for a registry in a network of your own."
    )(command)


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
