"""plangate's own standard output and error, on descriptors of their own.

An app under test runs in this process and may print; a descriptor it writes to by its number (1, 2) must never be the
one a report goes to. And a stream that nobody reads, or that is full, must never decide how a gate ends:

    the reader went away (`| head -1`), or standard output is closed (`>&-`)    the status is what it would have been
    standard output cannot be written (a full disk)                             a pass ends with 3, the rest as it was
    standard error cannot be written                                            the status is what it would have been
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
import threading
from contextlib import suppress
from typing import Any, TextIO

from plangate.errors import ExitCode, PlangateError
from plangate.line_guard import LineGuard

__all__ = ["OwnStreams"]


class _Descriptor(io.RawIOBase):
    """Writes to a descriptor until that fails; from then on nothing is written, and nobody is disturbed by it."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.lost: OSError | None = None

    def fileno(self) -> int:
        """The descriptor."""
        return self._number

    def isatty(self) -> bool:
        """Whether a person watches."""
        return os.isatty(self._number)

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any, /) -> int:
        """How much was written: all of it where nothing can be."""
        view = memoryview(data)
        while self.lost is None:
            try:
                return os.write(self._number, view)
            except BlockingIOError:  # whoever shares the descriptor made it non-blocking
                select.select([], [self._number], [])
            except OSError as error:
                self.lost = error
        return view.nbytes


class OwnStreams:
    """Made once, first of all: `sys.stdout` and `sys.stderr` are plangate's own from then on."""

    def __init__(self) -> None:
        # Where 0, 1 or 2 is closed, the next file opened takes that number, and prints go into a database.
        for number in (0, 1, 2):
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
        self._output = _Descriptor(os.dup(1))
        sys.stdout = _text_stream(self._output, sys.stdout)
        self._errors = _Descriptor(os.dup(2))
        sys.stderr = _text_stream(self._errors, sys.stderr)

    def end_here(self, *, out: str, err: str) -> None:
        """The last words of a process that something else ends: written at once, from whichever thread."""
        for descriptor, text in ((self._output, out), (self._errors, err)):
            descriptor.write(LineGuard()(text).encode())

    def settle(self, status: int) -> int:
        """Write what is left; the status this command ends with, by the rule above."""
        sys.stdout.flush()
        lost = self._output.lost
        if lost is not None and lost.errno != errno.EPIPE and status == ExitCode.PASSED:
            what = f"standard output cannot be written ({lost.strerror}): what was printed is not whole"
            error = PlangateError(what, code="output-lost", hint="print it again to a place with room")
            sys.stderr.write(f"error: {error}\n")
            status = ExitCode.UNDECIDED
        sys.stderr.flush()
        self._leave_to_the_app()
        return int(status)

    def _leave_to_the_app(self) -> None:
        """What an app registered for the end of the process prints where its output went, not after the report."""
        try:
            if os.path.sameopenfile(1, self._output.fileno()):
                return  # no app ran here
        except OSError:  # the app closed it, so there is nowhere to print
            return
        for name, number in (("stdout", 1), ("stderr", 2)):
            with suppress(OSError):
                setattr(sys, name, open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False))  # noqa: SIM115


class _GuardedText(io.TextIOWrapper):
    """Text in which nothing is live (rule P12): the last place that every line of every verb goes through.

    A verb prints in the main thread alone. A thread that an app left behind prints to nowhere.
    """

    guard: LineGuard

    def write(self, text: str, /) -> int:
        """How many letters were taken: all of them."""
        if threading.current_thread() is threading.main_thread():
            super().write(self.guard(text))
        return len(text)

    @property
    def buffer(self) -> Any:
        """Bytes that take the same way: click writes around a stream whose encoding is ASCII."""
        return _GuardedBytes(self)


class _GuardedBytes(io.RawIOBase):
    """Bytes written as the text they are."""

    def __init__(self, text: _GuardedText) -> None:
        self._text = text

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any, /) -> int:
        """How much was written: all of it."""
        self._text.write(bytes(data).decode(self._text.encoding, "backslashreplace"))
        return memoryview(data).nbytes

    def flush(self) -> None:
        """Everything written until now is out."""
        if not self._text.closed:
            self._text.flush()


def _text_stream(raw: _Descriptor, before: TextIO | None) -> TextIO:
    """Text over `raw`, in the encoding that Python chose for this stream; a letter it lacks is escaped."""
    encoding = before.encoding if before is not None else "utf-8"
    buffered = io.BufferedWriter(raw)
    stream = _GuardedText(buffered, encoding=encoding, errors="backslashreplace", line_buffering=raw.isatty())
    stream.guard = LineGuard()
    return stream
