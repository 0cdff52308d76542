"""What an app of this process raised, told apart from what we or a person raised into it."""

from __future__ import annotations

import asyncio

from plangate.drivers.answers import Redact
from plangate.drivers.protocol import DeadlinePassed
from plangate.verdicts.observation import Fault, Observed

__all__ = ["raised"]


def raised(error: BaseException, *, redact: Redact) -> Observed:
    """The fault that `error` is; raises it again where it is not the app's own.

    Ours are the engine's deadline, Ctrl-C, and a cancellation that somebody asked for: an app may raise CancelledError
    by itself, and native extensions raise panics that are no `Exception`; those are faults.
    """
    if isinstance(error, (DeadlinePassed, KeyboardInterrupt, GeneratorExit)) or _is_cancellation(error):
        raise error
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # an exception class of the app's own may fail even to describe itself
        text = type(error).__name__
    return Observed(fault=Fault.RAISED, detail=redact(text))


def _is_cancellation(error: BaseException) -> bool:
    if not isinstance(error, asyncio.CancelledError):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop here: nobody could have cancelled anything
        return False
    return task is not None and task.cancelling() > 0
