"""What an app under test writes, read in a thread of its own: redacted, bounded, and kept beside the run."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO, Final

from plangate.drivers.redaction import Redactor

__all__ = ["LOG_BYTES_MAX", "OutputLog"]

LOG_BYTES_MAX: Final = 10 * 1024 * 1024
"""Of one log, whatever number of processes write it; what comes after that is read, counted and dropped."""
_TAIL_LINES: Final = 20
_LINE_CHARS_MAX: Final = 500
_CHUNK_BYTES: Final = 64 * 1024
_TAIL_BYTES: Final = 8 * 1024


class OutputLog:
    """Reads `output` until it ends: keeps the last lines, writes all of them, redacted, up to a limit."""

    def __init__(self, output: IO[bytes], *, path: Path | None, redactor: Redactor) -> None:
        self.lines: deque[str] = deque(maxlen=_TAIL_LINES)
        self.bytes = 0
        """Written by the app until now."""
        self._output = output
        self._redactor = redactor
        self._path = path
        self._file: IO[bytes] | None = None
        self._writing = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._pump, name="plangate-log", daemon=True)
        self._thread.start()

    def add(self, raw: bytes) -> None:
        """Keep what the app wrote elsewhere, as if it had come this way."""
        self.bytes += len(raw)
        self._keep(raw)

    def finish(self, *, wait_s: float) -> None:
        """Wait until everything that was written is read; not longer than `wait_s`, then read no more."""
        self._thread.join(wait_s)
        self._over.set()
        self._thread.join(1.0)
        with self._writing:
            if self._file is not None:
                self._file.close()
            self._file = self._path = None

    def _pump(self) -> None:
        rest = b""
        try:
            while not self._over.is_set():
                # A child of the app may keep the pipe open for ever. (Windows cannot wait on a pipe: there it reads.)
                if sys.platform != "win32" and not select.select([self._output], [], [], 0.1)[0]:
                    continue
                chunk = os.read(self._output.fileno(), _CHUNK_BYTES)
                if not chunk:
                    break
                self.bytes += len(chunk)
                whole, line_break, rest = (rest + chunk).rpartition(b"\n")
                if not line_break and len(rest) > _CHUNK_BYTES:
                    whole, rest = rest, b""
                if whole:
                    self._keep(whole)
            if rest:
                self._keep(rest)
        finally:
            self._output.close()

    def _keep(self, raw: bytes) -> None:
        with self._writing:
            full = self._path is None
            # Nobody reads the middle of what is dropped: only its end is worth redacting.
            text = self._redactor.text(
                (raw[-_TAIL_BYTES:] if full else raw).decode("utf-8", "replace"), chars_max=2 * _CHUNK_BYTES
            )
            self.lines.extend(line[:_LINE_CHARS_MAX] for line in text.splitlines())
            if not full:
                self._write(text)

    def _write(self, text: str) -> None:
        try:
            file = self._file or self._opened()
            if file.tell() >= LOG_BYTES_MAX:
                text = f"(plangate keeps {LOG_BYTES_MAX:,} bytes of what an app writes)"
                self._path = None
            file.write(text.encode("utf-8", "replace") + b"\n")
        except OSError:
            self._path = None  # a full disk must not block the app by a pipe that nobody reads

    def _opened(self) -> IO[bytes]:
        assert self._path is not None  # noqa: S101 - the caller looked
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab", buffering=0)
        self._file.seek(0, os.SEEK_END)
        return self._file
