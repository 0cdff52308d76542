"""Driver `command`: a process that reads one request a line and answers one line each, in order (documents.md).

    {driver: command, command: [node, pdp.js]}

Lines carry no name of what they answer: only their order says it. So after a late answer, an answer that is no JSON, or
one that was not asked for, nothing more from that process can be trusted; it is replaced by a new one, at most three
times in a run. Text before the first answer is a banner: it goes to the run's log. Once it answers, standard output is
for answers alone, and what a process has to say goes to standard error.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

from plangate.documents.environment import Target
from plangate.drivers.answers import answer_reader
from plangate.drivers.jsonbytes import read_json
from plangate.drivers.lines import LineError, LineProcess
from plangate.drivers.process_groups import require_platform
from plangate.drivers.processes import find_program, launch_environment
from plangate.drivers.protocol import DriverContext, EvaluationRequest
from plangate.drivers.redaction import Redactor
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault, Observed

__all__ = ["CommandDriver"]

RESTARTS_MAX: Final = 3


class CommandDriver:
    """Keeps one process and asks it line by line, several lines ahead."""

    def __init__(self, target: Target, context: DriverContext) -> None:
        """Raises InputError `incomplete-target`; nothing is started yet."""
        if not target.command or not target.command[0]:
            raise InputError(
                "the driver 'command' needs a command",
                code="incomplete-target",
                hint="for example command: [python, pdp.py]",
            )
        require_platform(sys.platform != "win32", "the driver 'command'")  # whose event loop reads no such pipes
        self._command = target.command
        self._context = context
        self._timeout_s = target.timeout_s
        self._redactor = Redactor(context.secrets.values())
        self._read = answer_reader(self._redactor)
        self._process: LineProcess | None = None
        self._restarts_left = RESTARTS_MAX
        self._changing = asyncio.Lock()
        self._closed = False
        self._stopping: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Start the process. Raises DriverError `launch-failed`."""
        environ = launch_environment(self._context, {})
        if find_program(self._command[0], folder=self._context.workspace, environ=environ) is None:
            raise DriverError(
                f"there is no program {self._command[0]!r}",
                code="launch-failed",
                where=str(self._context.workspace),
                hint="name a program on the PATH, or a path from the workspace",
            )
        self._process = await self._start()

    async def observe(self, request: EvaluationRequest) -> Observed:
        """Ask one line. Never raises for what the process does."""
        line = json.dumps(request, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
        process: LineProcess | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                process = await self._running()
                raw = await process.ask(line)
        except LineError as fault:
            return Observed(fault=fault.fault, detail=self._redactor(str(fault)))
        except TimeoutError:
            if process is not None:
                process.condemn("an earlier answer was late")
            text = " (it wrote text that is no answer, see the run's log)" if process and process.banner_bytes else ""
            return Observed(fault=Fault.TIMEOUT, detail=f"no answer within {self._timeout_s:g} s{text}")
        try:
            return self._read(read_json(raw))
        except ValueError as error:
            process.condemn("an earlier line was no JSON")
            said = (
                f"{error}: {raw.decode('utf-8', 'replace')} (standard output is for answers; print to standard error)"
            )
            return Observed(fault=Fault.MALFORMED, detail=self._redactor(said))

    async def close(self) -> None:
        """Stop the process. Safe to call twice, and after a failed open."""
        first, self._closed = not self._closed, True
        if self._process is not None:
            self._context.output.add(self._process.banner_bytes if first else 0)
            await self._process.stop()
        await asyncio.gather(*self._stopping)

    def alive(self) -> bool:
        """False once the process has ended as often as it may."""
        return self._process is None or self._process.usable or self._restarts_left > 0

    async def _running(self) -> LineProcess:
        """The process to ask, a new one where the last is of no more use. Raises LineError."""
        process = self._process
        if process is not None and process.usable:
            return process
        async with self._changing:
            process = self._process
            if process is None or self._closed:
                raise LineError(Fault.UNREACHABLE, "the driver is not open")
            if process.usable:
                return process
            if self._restarts_left == 0:
                raise LineError(Fault.UNREACHABLE, f"{process.epitaph}; it was started {RESTARTS_MAX + 1} times")
            self._restarts_left -= 1
            self._context.output.add(process.banner_bytes)
            # In the background: one that hangs takes seconds to end, and nobody here should wait for it.
            self._stopping.append(asyncio.create_task(process.stop()))
            self._process = await self._start()
            return self._process

    async def _start(self) -> LineProcess:
        process = LineProcess(
            self._command,
            folder=self._context.workspace,
            environ=launch_environment(self._context, {}),
            log=self._context.log,
            redactor=self._redactor,
        )
        await process.connect()
        return process
