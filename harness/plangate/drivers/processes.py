"""A process that plangate starts: in a group of its own, under a supervisor, with its output redacted into a log."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from plangate.drivers.output_log import OutputLog
from plangate.drivers.process_groups import STOP_GRACE_S, ProcessGroup
from plangate.drivers.protocol import DriverContext
from plangate.drivers.redaction import Redactor
from plangate.errors import DriverError

__all__ = ["STOP_GRACE_S", "Process", "find_program", "launch_environment"]


def launch_environment(context: DriverContext, extra: Mapping[str, str]) -> dict[str, str]:
    """Environment variables of a launched process: the context's, then the target's own, then the hash seed."""
    environ = {**context.environ, **extra}
    if context.hash_seed is not None:
        environ["PYTHONHASHSEED"] = str(context.hash_seed)
    return environ


def find_program(name: str, *, folder: Path, environ: Mapping[str, str]) -> str | None:
    """The program that `name` starts in `folder`; None where there is none."""
    if name == "python":
        return sys.executable
    if "/" in name:
        return shutil.which(str(folder / name))
    return shutil.which(name, path=environ.get("PATH", os.defpath))


class Process:
    """One started command. Its process group is gone once `stop` returns, or once plangate is gone."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        log: Path | None,
        redactor: Redactor,
        pipes: bool = False,
    ) -> None:
        """Start `command` in `folder`; `python` as its first word is this interpreter.

        Output goes to `log`. With `pipes`, `stdin` and `stdout` are ours and only its standard error goes to the log.
        Raises DriverError `launch-failed` where nothing can be started at all; a command that does not exist ends at
        once with status 127 and says so in its tail.
        """
        words = [sys.executable if command[0] == "python" else command[0], *command[1:]]
        try:
            self._group = ProcessGroup(words, folder=folder, environ=environ, pipes=pipes)
        except (OSError, ValueError) as error:
            raise DriverError(
                f"{command[0]!r} cannot be started: {error}", code="launch-failed", where=str(folder)
            ) from error
        self._process = self._group.process
        self.stdin: IO[bytes] | None = self._process.stdin
        self.stdout: IO[bytes] | None = self._process.stdout if pipes else None
        output = self._process.stderr if pipes else self._process.stdout
        assert output is not None  # noqa: S101 - asked for above
        self._log = OutputLog(output, path=log, redactor=redactor)

    @property
    def status(self) -> int | None:
        """The command's exit status (128 + signal where one ended it); None while it runs."""
        return self._process.poll()

    @property
    def alive(self) -> bool:
        """Whether the command still runs."""
        return self._process.poll() is None

    def tail(self) -> str:
        """The last 20 lines of its output, redacted."""
        if not self.alive:
            self._log.finish(wait_s=1.0)
        return "\n".join(self._log.lines)

    def keep(self, raw: bytes) -> None:
        """Put into the log what it wrote on a pipe of ours and was no answer."""
        self._log.add(raw)

    async def stop(self) -> None:
        """End the process group: SIGTERM, SIGKILL after 3 s. Safe to call twice."""
        self._group.ask_to_stop()
        for stream in (self.stdin, self.stdout):
            if stream is not None:
                stream.close()
        pause_s = 0.005
        deadline = asyncio.get_running_loop().time() + STOP_GRACE_S + 2
        while self._process.poll() is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 0.1)
        if self._process.poll() is None:  # a supervisor that hangs takes its command along (Linux)
            self._group.kill()
        self._log.finish(wait_s=1.0)
