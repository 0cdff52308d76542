"""What a stream can show: how many columns it has, and whether colours are wanted there."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Final, TextIO

import click

__all__ = ["WIDTH_PLAIN", "echo_wrapped", "line_width", "screen_width", "wants_colour"]

WIDTH_PLAIN: Final = 100
"""Columns where nobody watches and nobody says how many: a file, a CI log."""

_UNLIMITED: Final = 1_000_000


def screen_width(stream: TextIO) -> int:
    """Columns of the terminal, or what `COLUMNS` says wherever it is set."""
    if stream.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        return shutil.get_terminal_size((WIDTH_PLAIN, 24)).columns
    return WIDTH_PLAIN


def wants_colour(stream: TextIO) -> bool:
    """Colour only on a terminal, and there not against the person's wish (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def line_width(stream: TextIO) -> int:
    """Columns that a sentence may take: those of a terminal. Elsewhere it stays one line, so that it is found."""
    return screen_width(stream) if stream.isatty() else _UNLIMITED


def echo_wrapped(line: str, *, hanging: int) -> None:
    """Print `line` on standard output, on a terminal in as many lines as it takes, later ones `hanging` columns in."""
    from plangate.reports.lines import wrapped

    text = line[hanging:].lstrip(" ")
    head = line.removesuffix(text)
    first, *more = wrapped(text, width=max(20, line_width(sys.stdout) - max(hanging, len(head))))
    click.echo(head + first)
    for rest in more:
        click.echo(" " * hanging + rest)
