"""Measuring in processes of their own: functions on a chosen core, and commands with their time and peak memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.machine import cores

__all__ = ["CommandError", "Spent", "harness_core", "on_core", "plangate", "run_command", "server_core"]

_Answer = TypeVar("_Answer")
_CHILD_S_MAX = 900.0
_KEPT_OUTPUT = 2_000


class CommandError(RuntimeError):
    """What was measured did not end as it must: its figures would be about something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a command took."""

    wall_s: float
    cpu_s: float
    """User and system time of the command and all that it waited for."""
    peak_rss_mb: float
    """Of the command, or of the largest process it waited for (MB = 1,000,000 bytes)."""
    output: str


def harness_core() -> int:
    """The core that measured code is pinned to."""
    return cores()[0]


def server_core() -> int:
    """The core that servers are pinned to: another one, where there is another."""
    return cores()[-1]


def _pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def on_core(function: Callable[..., _Answer], *arguments: Any, core: int | None = None) -> _Answer:
    """Call a function of a module in a fresh process, pinned to `core` where one is given."""
    pin = {} if core is None else {"initializer": _pin, "initargs": (core,)}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), **pin) as pool:
        return pool.submit(_call, function, arguments).result(timeout=_CHILD_S_MAX)


def _call(function: Callable[..., _Answer], arguments: Sequence[Any]) -> _Answer:
    try:
        return function(*arguments)
    except Exception as error:  # not every exception can travel between processes; its text can
        raise CommandError(traceback.format_exc()) from error


def plangate(*arguments: str) -> list[str]:
    """The real command, run by this interpreter."""
    return [sys.executable, "-m", "plangate", *arguments]


def run_command(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    timeout_s: float = _CHILD_S_MAX,
    statuses: Sequence[int] = (0,),
) -> Spent:
    """Run a command to its end. Raises CommandError for another exit status than these, or when it takes too long."""
    log = cwd / "output.log"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=os.environ | dict(environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        status, usage, wall_s = _wait(process, started, timeout_s)
    text = log.read_text(errors="replace")
    if status not in statuses:
        raise CommandError(f"{' '.join(map(str, command))} ended with {status}:\n{text[-_KEPT_OUTPUT:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Spent(
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_rss_mb=usage.ru_maxrss * unit / 1e6,
        output=text,
    )


def _wait(process: subprocess.Popen[bytes], started: float, timeout_s: float) -> tuple[int, Any, float]:
    """Exit status, resource usage, seconds. `wait4` blocks, so an alarm ends a command that never does."""

    def stop(*_: object) -> None:
        os.killpg(process.pid, signal.SIGKILL)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        stop()
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage, time.perf_counter() - started
