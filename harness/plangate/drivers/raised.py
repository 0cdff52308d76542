"""What an app of this process raised, told apart from what we or a person raised into it."""

from __future__ import annotations

import asyncio
import threading

from plangate.drivers.answers import Redact
from plangate.drivers.protocol import DeadlinePassed
from plangate.verdicts.observation import Fault, Observed

__all__ = ["raised"]


def raised(error: BaseException, *, redact: Redact) -> Observed:
    """The fault that `error` is; raises it again where it is not the app's own.

    Ours are the engine's deadline, Ctrl-C, the closing of a coroutine, and a cancellation that somebody asked for: an
    app may raise any of their classes by itself, and native extensions raise panics that are no `Exception`; those are
    faults.
    """
    if isinstance(error, DeadlinePassed) or _is_ctrl_c(error) or _is_closing(error) or _is_cancellation(error):
        raise error
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # an exception class of the app's own may fail even to describe itself
        text = type(error).__name__
    return Observed(fault=Fault.RAISED, detail=redact(text))


def _is_ctrl_c(error: BaseException) -> bool:
    # Python raises a signal in the main thread alone.
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


def _is_closing(error: BaseException) -> bool:
    # A coroutine is closed from outside of any task; in a task, and where no loop runs, the app raised it.
    if not isinstance(error, GeneratorExit):
        return False
    try:
        return asyncio.current_task() is None
    except RuntimeError:
        return False


def _is_cancellation(error: BaseException) -> bool:
    if not isinstance(error, asyncio.CancelledError):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop here: nobody could have cancelled anything
        return False
    return task is not None and task.cancelling() > 0
