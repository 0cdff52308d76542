"""A process asked by lines: requests go in as they come, answers come out in the same order."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from plangate.drivers.processes import Process
from plangate.drivers.redaction import Redactor
from plangate.verdicts.observation import Fault

__all__ = ["LINE_BYTES_MAX", "LineError", "LineProcess"]

LINE_BYTES_MAX: Final = 1024 * 1024


class LineError(Exception):
    """Why a line has no answer."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault


class LineProcess:
    """One process. Once it is not `usable` it stays so: ask another one."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        log: Path | None,
        redactor: Redactor,
    ) -> None:
        """Raises DriverError `launch-failed`."""
        self._process = Process(command, folder=folder, environ=environ, log=log, redactor=redactor, pipes=True)
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._output: asyncio.ReadTransport | None = None
        self._reading: asyncio.Task[None] | None = None
        self._end: LineError | None = None
        self._first = asyncio.Lock()
        self._answered = False
        self.banner_bytes = 0
        """What it wrote before its first answer and was none."""

    @property
    def usable(self) -> bool:
        """Whether it may be asked."""
        return self._end is None

    @property
    def epitaph(self) -> str:
        """Why it may be asked no more."""
        return "" if self._end is None else str(self._end)

    async def connect(self) -> None:
        """Begin to read what it answers."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
        protocol = asyncio.StreamReaderProtocol(reader)
        self._output, _ = await loop.connect_read_pipe(lambda: protocol, self._process.stdout)
        transport, flow = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, self._process.stdin)
        self._writer = asyncio.StreamWriter(transport, flow, None, loop)
        self._reading = asyncio.create_task(self._read(reader))

    async def ask(self, line: bytes) -> bytes:
        """The answer to `line`, without its line break. Raises LineError: UNREACHABLE, CLOSED, MALFORMED.

        Until the first answer one line is asked at a time: only then is text that comes before it surely a banner, and
        not an answer gone wrong, after which each further answer would be taken for that of another line.
        """
        if not self._answered:
            async with self._first:
                if not self._answered:
                    return await self._sent(line)
        return await self._sent(line)

    async def _sent(self, line: bytes) -> bytes:
        if self._end is not None or self._writer is None:
            raise self._end or LineError(Fault.UNREACHABLE, "the process is not connected")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        # Nothing is awaited between these two: the order of the lines is the order of the waiting.
        self._waiting.append(answer)
        self._writer.write(line)
        with contextlib.suppress(ConnectionError):  # it has ended; the reader will find out why
            await self._writer.drain()
        return await answer

    def condemn(self, why: str) -> None:
        """Nothing it says from now on can be trusted: whoever waits is told so, and may ask the next process."""
        self._finish(LineError(Fault.CLOSED, f"the process is replaced: {why}"))

    async def stop(self) -> None:
        """End it. Safe to call twice."""
        self._finish(LineError(Fault.UNREACHABLE, "the process is stopped"))
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._output is not None:
            self._output.close()
        if self._writer is not None and not self._writer.transport.is_closing():
            self._writer.transport.abort()  # `close` would wait for a process that reads no more
        await self._process.stop()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                await self._explain_end()
                return
            except asyncio.LimitOverrunError:
                self._refuse(Fault.MALFORMED, f"an answer is longer than {LINE_BYTES_MAX:,} bytes")
                return
            if not self._answered and not _is_json(line):
                self._process.keep(line.rstrip(b"\r\n"))
                self.banner_bytes += len(line)
                continue
            if not self._waiting:
                self._finish(LineError(Fault.CLOSED, "the process is replaced: it wrote a line that nobody asked for"))
                return
            self._answered = True
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_result(line.rstrip(b"\r\n"))

    async def _explain_end(self) -> None:
        """It closed its output: usually because it ended, which is seen a moment later."""
        for _ in range(100):
            if not self._process.alive:
                break
            await asyncio.sleep(0.01)
        status = self._process.status
        how = "closed its output" if status is None else f"ended with exit status {status}"
        tail = await asyncio.to_thread(self._process.tail)
        said = f"; its last lines:\n{tail}" if tail else ""
        self._finish(LineError(Fault.UNREACHABLE, f"the process {how}{said}"))

    def _refuse(self, fault: Fault, why: str) -> None:
        """The first who waits gets the fault; the others may ask the next process."""
        if self._waiting:
            first = self._waiting.popleft()
            if not first.done():
                first.set_exception(LineError(fault, why))
        self.condemn(why)

    def _finish(self, end: LineError) -> None:
        if self._end is None:
            self._end = end
        while self._waiting:
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(LineError(end.fault, str(end)))


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
