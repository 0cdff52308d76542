"""Commands that are printed: each can be pasted where it was printed, whatever folder the workspace is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

__all__ = ["WITHOUT_WORKSPACE", "placed_at", "placed_commands"]

WITHOUT_WORKSPACE = frozenset({"init", "keys", "pull", "push", "schema", "verify"})
"""Verbs that work on no workspace, and take no `-w`."""

# What a message tells somebody to type stands in backticks: only so is it known where the command ends.
_COMMAND = re.compile(r"`(plangate ([a-z]+)\b[^`\n]*)`")


def placed_at(root: Path) -> str:
    """What a command that is printed needs, so that it can be pasted where it was printed: ` -w DIR`, or nothing."""
    here, there = Path.cwd(), root.resolve()
    if there == here:
        return ""
    return f" -w {shlex.quote(str(there.relative_to(here) if there.is_relative_to(here) else there))}"


def placed_commands(text: str, *, root: Path | None) -> str:
    """`text` with ` -w DIR` in each command in backticks that works on the workspace `root`; None: none was opened."""
    place = placed_at(root) if root is not None else ""

    def placed(found: re.Match[str]) -> str:
        command, verb = found.groups()
        known = verb in WITHOUT_WORKSPACE or re.search(r" (?:-w|--workspace|-h|--help)\b", command)
        return f"`{command}{'' if known else place}`"

    return _COMMAND.sub(placed, text)
