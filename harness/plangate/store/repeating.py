"""The command that shows again what a cell showed: the cell alone, or the whole walk where its neighbours matter."""

from __future__ import annotations

import shlex

from plangate.store.documents import SuiteRecord
from plangate.verdicts.result import RunHeader, Verdict

__all__ = ["alone_text", "repeat_command"]


def repeat_command(header: RunHeader, suite: SuiteRecord, *, cell: str, verdict: Verdict, place: str) -> str:
    """`plangate run stage --cell c-... --seed 7`; for answers that change, the suite in the same orders.

    `place` is appended (` -w DIR`) where the workspace is not the folder that the command is read in.
    """
    if verdict is Verdict.FLAKY and "cells by id" not in header.selection:
        return _whole_walk(header, suite, place=place)
    return f"plangate run {header.environment} --cell {cell} --seed {suite.seed}{place}"


def alone_text(header: RunHeader, suite: SuiteRecord, *, cell: str, verdict: Verdict, place: str) -> str:
    """What is to be known before the cell is asked alone; empty where nothing speaks against it.

    A cell whose answers change may pass alone, and so may one that was only ever asked beside others: in a batch, or
    while others were in flight.
    """
    if verdict is Verdict.FLAKY:
        return f"alone it may pass; plangate show {header.run} --cell {cell}{place} says which pass saw what"
    if verdict in (Verdict.PASS, Verdict.ERROR) or "cells by id" in header.selection:
        return ""
    if min((one.concurrency for one in suite.passes), default=1) > 1:
        return f"where that passes, the cells beside it matter: {_whole_walk(header, suite, place=place)}"
    return ""


def _whole_walk(header: RunHeader, suite: SuiteRecord, *, place: str) -> str:
    chosen = [
        f" --{axis} {shlex.quote(value)}"
        for part in header.selection.split("; ")
        if part
        for axis, _, values in [part.partition("=")]
        for value in values.split(",")
    ]
    shard = f" --shard {header.shard}" if header.shard else ""
    return f"plangate run {header.environment} --suite {suite.name}{''.join(chosen)}{shard} --seed {suite.seed}{place}"
