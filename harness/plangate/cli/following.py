"""What a person sees while a run goes on: the engine's events as ticks of a progress display."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from plangate.engine.events import Event, PassStarted, Planned, Progress
from plangate.reports.progress import ProgressDisplay, Tick, progress_display

__all__ = ["following"]


@contextmanager
def following(stream: TextIO, *, clock: Callable[[], float]) -> Iterator[Callable[[Event], None]]:
    """Shows the events it is given on `stream`: live on a terminal, else a line now and then. `clock`: seconds."""
    with progress_display(stream, terminal=stream.isatty(), clock=clock) as display:
        yield _Follower(display, clock=clock).tell


class _Follower:
    def __init__(self, display: ProgressDisplay, *, clock: Callable[[], float]) -> None:
        self._display, self._clock = display, clock
        self._started = clock()
        self._expected = self._already = 0
        self._note = "computing the matrix"
        self._last = Progress(observed=0, leaks=0, others=0)

    def tell(self, event: Event) -> None:
        if isinstance(event, Planned):
            self._expected, self._already, self._started = event.observations, event.already, self._clock()
        elif isinstance(event, PassStarted):
            fresh = f", hash seed {event.hash_seed}" if event.hash_seed is not None else ""
            self._note = (
                f"{event.suite}, pass {event.number} of {event.passes}, {event.order}, "
                f"{event.concurrency} at a time{fresh}"
            )
        elif isinstance(event, Progress):
            self._last = event
        self._display.update(
            Tick.after(
                done=self._already + self._last.observed,
                expected=self._expected,
                elapsed_s=self._clock() - self._started,
                already=self._already,
                leaks=self._last.leaks,
                others=self._last.others,
                note=self._note,
            )
        )
