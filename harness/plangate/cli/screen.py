"""What a stream can show: how many columns it has, and whether colours are wanted there."""

from __future__ import annotations

import os
import shutil
from typing import Final, TextIO

__all__ = ["WIDTH_PLAIN", "screen_width", "wants_colour"]

WIDTH_PLAIN: Final = 100
"""Columns where nobody watches and nobody says how many: a file, a CI log."""


def screen_width(stream: TextIO) -> int:
    """Columns of the terminal, or what `COLUMNS` says wherever it is set."""
    if stream.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        return shutil.get_terminal_size((WIDTH_PLAIN, 24)).columns
    return WIDTH_PLAIN


def wants_colour(stream: TextIO) -> bool:
    """Colour only on a terminal, and there not against the person's wish (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")
