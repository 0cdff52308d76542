"""What an app prints while it runs in this process: never on plangate's standard output, always in the run's log.

A print at import, a banner, a C library or a child process writes to descriptor 1 or 2, whatever `sys.stdout` is. So
both descriptors lead into the log while the app is asked; plangate's own output has descriptors of its own (`cli`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

from plangate.drivers.output_log import OutputLog
from plangate.drivers.redaction import Redactor

__all__ = ["AppOutput", "kept_output"]

_PIPE_BYTES: Final = 1024 * 1024
_F_SETPIPE_SZ: Final = 1031
_LAST_S: Final = 2.0


class AppOutput:
    """How much an app wrote where it was not asked to, in all ways that drivers see."""

    def __init__(self) -> None:
        self.bytes = 0

    def add(self, count: int) -> None:
        """So much more."""
        self.bytes += count


@contextmanager
def kept_output(output: AppOutput, *, log: Path | None, redactor: Redactor, guest: bool = False) -> Iterator[None]:
    """Meanwhile whatever this process writes to descriptors 1 and 2 goes to `log`, and is counted in `output`.

    A `guest` in another program's process gives both back as they were, whatever that program captures in them.
    """
    reading, writing = os.pipe()
    _widen(writing)
    kept = OutputLog(os.fdopen(reading, "rb", buffering=0), path=log, redactor=redactor)
    before = sys.stdout, sys.stderr
    _flush(*before, sys.__stdout__, sys.__stderr__)
    saved = os.dup(1), os.dup(2)
    for number in (1, 2):
        os.dup2(writing, number)
    os.close(writing)
    sys.stdout, sys.stderr = _stream(1), _stream(2)
    theirs = sys.stdout, sys.stderr
    try:
        yield
    finally:
        _flush(*theirs, sys.__stdout__, sys.__stderr__)
        sys.stdout, sys.stderr = before
        _restore(saved, apart=not guest and _number(before[0]) not in (1, 2))
        kept.finish(wait_s=_LAST_S)
        output.add(kept.bytes)


def _restore(saved: tuple[int, int], *, apart: bool) -> None:
    """Give the descriptors back; where plangate writes to others, a thread the app left behind writes to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number, was in zip((1, 2), saved, strict=True):
        os.dup2(nowhere if apart else was, number)
        os.close(was)
    os.close(nowhere)


def _stream(number: int) -> TextIO:
    return open(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _number(stream: TextIO | None) -> int:
    try:
        return stream.fileno() if stream is not None else 1
    except (OSError, ValueError):
        return 1  # a stream in memory: somebody else looks after the descriptors


def _flush(*streams: TextIO | None) -> None:
    for stream in streams:
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()


def _widen(pipe: int) -> None:
    """Room for a library that writes much while it holds the interpreter's lock, which the reader needs (Linux)."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(pipe, _F_SETPIPE_SZ, _PIPE_BYTES)
