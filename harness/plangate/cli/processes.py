"""Passes in processes of their own: with another hash seed, or several side by side. Each is `plangate worker`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from plangate.engine.events import Progress
from plangate.engine.execution import FreshProcesses
from plangate.engine.session import Prepared
from plangate.errors import DriverError
from plangate.store.documents import PassRecord

__all__ = ["fresh_processes"]

_GRACE_S: Final = 5.0
"""For a worker to end by itself, once its work is done or nobody wants it any more."""
_LAST_WORDS_S: Final = 1.0
"""For what a worker wrote before it ended: it lies in the pipe."""


def fresh_processes(prepared: Prepared, *, run_file: Path) -> FreshProcesses:
    """Starts `plangate worker` for passes of this run, as many as asked, and relays their progress."""

    own_stderr = _own_stderr()  # before anything of the app runs here

    def start(suite: str, passes: Sequence[PassRecord], workers: int) -> AsyncIterator[tuple[PassRecord, Progress]]:
        command = [
            sys.executable, "-m", "plangate", "worker", prepared.environment.name,
            "--workspace", str(prepared.workspace.root), "--run-file", str(run_file.resolve()),
            "--suite", suite, *chain.from_iterable(("--pass", str(one.number)) for one in passes),
        ]  # fmt: skip
        if prepared.home is not None:
            command += ["--home", str(prepared.home)]
        environ = dict(os.environ)
        if passes[0].hash_seed is not None:
            environ["PYTHONHASHSEED"] = str(passes[0].hash_seed)
        known = {one.number: one for one in passes}
        return _relay(
            [[*command, "--part", f"{part}/{workers}"] for part in range(workers)], environ, known, own_stderr
        )

    return start


async def _relay(
    commands: list[list[str]], environ: dict[str, str], passes: Mapping[int, PassRecord], stderr: int | None
) -> AsyncIterator[tuple[PassRecord, Progress]]:
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    workers: list[asyncio.subprocess.Process] = []
    followers: list[asyncio.Task[None]] = []
    try:
        for command in commands:
            worker, told = await _start(command, environ, stderr=stderr)
            workers.append(worker)
            followers.append(asyncio.create_task(_follow(worker, told, lines)))
        left, done, why = len(workers), 0, ""
        while left:
            line = await lines.get()
            if line is None:
                left -= 1
                continue
            since = json.loads(line)
            if "stopped" in since:
                why = since["stopped"]
            elif "done" in since:
                done += 1
            else:
                yield passes[since.pop("pass")], Progress(**since)
        await _ended(workers)
        if done < len(workers):
            raise _failed([worker.returncode or 0 for worker in workers], why=why)
    finally:
        for worker in workers:
            if worker.returncode is None:
                worker.terminate()
        await _ended(workers)
        await asyncio.gather(*followers, return_exceptions=True)


async def _ended(workers: Sequence[asyncio.subprocess.Process]) -> None:
    """Wait until every worker has; one that does not is killed: the app's code in it may hang, or leave threads."""
    waiting = [asyncio.create_task(worker.wait()) for worker in workers]
    if waiting:
        await asyncio.wait(waiting, timeout=_GRACE_S)
    for worker in workers:
        if worker.returncode is None:
            worker.kill()
    await asyncio.gather(*waiting)


async def _start(
    command: list[str], environ: dict[str, str], *, stderr: int | None
) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
    """A worker, and what it tells: on a descriptor of its own, because apps print to the usual ones."""
    if sys.platform == "win32":  # passes no descriptors on; the worker moves standard output away before it does more
        worker = await asyncio.create_subprocess_exec(
            *command, env=environ, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=stderr
        )
        assert worker.stdout is not None  # noqa: S101 - asked for above
        return worker, worker.stdout
    reading, writing = os.pipe()
    try:
        worker = await asyncio.create_subprocess_exec(
            *command, "--progress-to", str(writing), env=environ, pass_fds=(writing,),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=stderr,
        )  # fmt: skip
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    told = asyncio.StreamReader()
    pipe = os.fdopen(reading, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), pipe)
    return worker, told


def _own_stderr() -> int | None:
    """Where this process itself says what is wrong; None where that is no file: then the worker inherits."""
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):
        return None


async def _follow(
    worker: asyncio.subprocess.Process, told: asyncio.StreamReader, lines: asyncio.Queue[bytes | None]
) -> None:
    """Hand on what a worker tells; nothing more once it has ended, though a process that the app forked lives on."""
    reading, ended = asyncio.create_task(_read(told, lines)), asyncio.create_task(worker.wait())
    try:
        await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({reading}, timeout=_LAST_WORDS_S)
    finally:
        reading.cancel()
        ended.cancel()
        lines.put_nowait(None)


async def _read(told: asyncio.StreamReader, lines: asyncio.Queue[bytes | None]) -> None:
    async for line in told:
        await lines.put(line)


def _failed(statuses: Sequence[int], *, why: str) -> DriverError:
    """`why` is what a worker said before it ended; one that was killed, or that the app ended, says nothing."""
    status = next((one for one in statuses if one), 0)
    killed = f"killed by signal {-status}" if status < 0 else f"ended with status {status}"
    ended = f"a process of this run {killed} before its cells were observed"
    return DriverError(f"{why}; {ended}" if why else ended, code="worker-failed")
