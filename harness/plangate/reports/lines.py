"""Text with styles, and how it reaches a stream: plain, or in colour through rich."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from plangate.line_guard import drawing, visible
from plangate.reports.marks import ASCII, Mark
from plangate.reports.safe_text import columns

__all__ = ["Line", "Span", "plain", "wrapped", "write_lines"]

Span = tuple[str, str]
"""A piece of text and the name of its style; an empty name is plain."""

Line = tuple[Span, ...]

_STYLES = {
    "": "",
    "bold": "bold",
    "dim": "dim",
    "good": "bold green",
    "bad": "bold white on red",
    "warn": "bold yellow",
    "command": "cyan",
    Mark.LEAK: "bold white on red",
    Mark.FLAKY: "bold black on yellow",
    Mark.LOCKOUT: "bold magenta",
    Mark.MISMATCH: "yellow",
    Mark.ERROR: "bold yellow",
    Mark.UNSEEN: "yellow",
    Mark.ALLOW: "green",
    Mark.APPROVAL: "cyan",
    Mark.DENY: "dim",
    Mark.NONE: "",
}


def wrapped(text: str, *, width: int) -> list[str]:
    """`text` in lines of at most `width` columns; a longer word stays whole, so that it can be copied."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and columns(lines[-1]) + 1 + columns(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def plain(line: Line) -> str:
    """A line without its styles."""
    return "".join(text for text, _ in line).rstrip()


def write_lines(lines: Iterable[Line], stream: TextIO, *, colour: bool, width: int) -> None:
    """Print lines on `stream`; signs that its encoding lacks get stand-ins. No escape sequence unless `colour`."""
    carries_signs = _carries(stream, "✓≠·…─")
    if not colour:
        for line in lines:
            text = plain(line)
            stream.write((text if carries_signs else text.translate(ASCII)) + "\n")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, width=width, highlight=False, color_system="standard")
    with drawing(stream):
        for line in lines:
            spans = [
                (visible(text if carries_signs else text.translate(ASCII)), _STYLES[style]) for text, style in line
            ]
            console.print(Text.assemble(*spans), soft_wrap=True)


def _carries(stream: TextIO, signs: str) -> bool:
    try:
        signs.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
