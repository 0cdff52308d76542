"""Processes that plangate starts and must not leave behind: the one place that knows how each platform does that.

POSIX: a supervisor (`supervisor.py`) watches a pipe and ends the command's group when the pipe closes, however plangate
ended. Windows has no such groups: the command is in a console group of its own, and `taskkill /T` ends it with all that
it started, which needs a plangate that is still there to ask for it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from plangate.drivers import supervisor
from plangate.errors import InputError

__all__ = ["STOP_GRACE_S", "ProcessGroup", "require_platform"]

STOP_GRACE_S: Final = 3.0
"""Time between asking a group to stop and ending it."""
_SUPERVISOR: Final = supervisor.__file__


def require_platform(able: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Refuse what this platform cannot carry. Raises InputError `unsupported-platform` (exit 2)."""
    if not able:
        raise InputError(
            f"{what} does not work on {sys.platform}",
            code="unsupported-platform",
            hint="run it on Linux or macOS, or in a container",
        )


class ProcessGroup:
    """A command and whatever it starts."""

    def __init__(self, words: Sequence[str], *, folder: Path, environ: Mapping[str, str], pipes: bool) -> None:
        """Raises OSError or ValueError where nothing can be started at all."""
        stdin = subprocess.PIPE if pipes else subprocess.DEVNULL
        stderr = subprocess.PIPE if pipes else subprocess.STDOUT
        self.process: subprocess.Popen[bytes]
        self._control: int | None = None
        if sys.platform == "win32":
            self.process = subprocess.Popen(
                words, cwd=folder, env=dict(environ), stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, bufsize=0,
                creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
            )  # fmt: skip
            return
        theirs, self._control = os.pipe()
        watched = [sys.executable, "-I", "-S", _SUPERVISOR, str(theirs), str(STOP_GRACE_S), *words]
        try:
            self.process = subprocess.Popen(
                watched, cwd=folder, env=dict(environ), stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, bufsize=0,
                pass_fds=(theirs,), start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(self._control)
            raise
        finally:
            os.close(theirs)

    def ask_to_stop(self) -> None:
        """Politely, and with force after `STOP_GRACE_S` where the platform has a supervisor. Safe to call twice."""
        if self._control is not None:
            os.close(self._control)
            self._control = None
        elif sys.platform == "win32" and self.process.poll() is None:
            _end_tree(self.process.pid)

    def kill(self) -> None:
        """With force. On Linux a command dies with its supervisor."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


def _end_tree(pid: int) -> None:
    subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], capture_output=True, check=False)
