"""Runs one command and sees to it that nothing of it outlives plangate. A program of its own; standard library only.

    python -I -S supervisor.py CONTROL_FD GRACE_S COMMAND...

plangate holds the other end of CONTROL_FD, a pipe. When that end closes, on purpose or because plangate was killed in
whatever way, the command's process group gets SIGTERM, and SIGKILL after GRACE_S seconds. A process can be killed
before it cleans up, but its pipes cannot stay open: that is why a pipe, and not an exit handler or a parent's death
signal (which Linux alone has, and which follows the thread that forked rather than the process). On Linux the command
also dies with this supervisor. Exit status: the command's own, 128 + signal, or 127 where it cannot be started.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Run the command in `arguments` until it ends or the control pipe closes; its exit status."""
    control, grace_s, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    child_ended, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _note)
    try:
        # The supervisor has one thread, so code between fork and exec is safe here.
        child = subprocess.Popen(command, process_group=0, preexec_fn=_die_with_parent)  # noqa: PLW1509
    except (OSError, subprocess.SubprocessError) as error:
        print(f"cannot start {command[0]!r}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)  # noqa: T201
        return 127
    # Whoever reads the command's output must see it end, though the supervisor still runs.
    _release_pipes()
    while not _has_ended(child.pid):
        ready, _, _ = select.select([control, child_ended], [], [])
        if control in ready or (child_ended in ready and _asked_to_stop(os.read(child_ended, 64))):
            _stop(child.pid, grace_s)
    _signal_group(child.pid, signal.SIGKILL)  # what it leaves behind; the zombie keeps its group id from being reused
    status = child.wait()
    return status if status >= 0 else 128 - status


def _note(number: int, frame: object) -> None:
    """The wake-up pipe has the number already."""


def _asked_to_stop(numbers: bytes) -> bool:
    return any(number != signal.SIGCHLD for number in numbers)


def _release_pipes() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _stop(group: int, grace_s: float) -> None:
    _signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while not _has_ended(group) and time.monotonic() < deadline:
        time.sleep(0.01)
    _signal_group(group, signal.SIGKILL)
    while not _has_ended(group):
        time.sleep(0.01)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # nobody left (macOS says so with EPERM)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
