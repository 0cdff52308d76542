"""How far a run is, while it runs: a live line on a terminal, a plain line every five seconds anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from plangate.line_guard import drawing
from plangate.reports.counts import count_text, duration_text
from plangate.reports.safe_text import clean, fit

if TYPE_CHECKING:
    from rich.live import Live

__all__ = ["ProgressDisplay", "Tick", "progress_display"]

_PLAIN_EVERY_S = 5.0
_LIVE_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """How far a run is."""

    done: int
    expected: int
    leaks: int = 0
    others: int = 0
    """Neither as expected nor a leak."""
    rate_per_s: float = 0.0
    left_s: float | None = None
    """None where there is no telling yet."""
    note: str = ""
    """What is going on: `gating, pass 2 of 3, shuffled, 16 at a time`."""

    @classmethod
    def after(
        cls,
        *,
        done: int,
        expected: int,
        elapsed_s: float,
        already: int = 0,
        leaks: int = 0,
        others: int = 0,
        note: str = "",
    ) -> Tick:
        """A tick whose rate and time left follow from what was done in `elapsed_s`; `already` was there from before."""
        rate = (done - already) / elapsed_s if elapsed_s > 0 and done > already else 0.0
        left = (expected - done) / rate if rate else None
        return cls(done=done, expected=expected, leaks=leaks, others=others, rate_per_s=rate, left_s=left, note=note)


class ProgressDisplay(Protocol):
    """Shows ticks; a context manager that leaves nothing half-drawn behind."""

    def update(self, tick: Tick) -> None:
        """Show `tick`, or keep it for later: cheap enough to be called for each batch."""
        ...

    def __enter__(self) -> ProgressDisplay: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def progress_display(
    stream: TextIO, *, terminal: bool, clock: Callable[[], float], unit: str = "observations"
) -> ProgressDisplay:
    """The display for `stream`: live where it is a terminal, else plain lines without escape sequences.

    `clock` answers seconds that never run backwards (`time.monotonic`).
    """
    return _Live(stream, clock=clock, unit=unit) if terminal else _Plain(stream, clock=clock, unit=unit)


def tick_text(tick: Tick, *, unit: str) -> str:
    """`1,200 of 12,960 observations (9%), 2,400/s, 5 s left, 3 leaks`."""
    share = f" ({100 * tick.done // tick.expected}%)" if tick.expected else ""
    parts = [f"{tick.done:,} of {tick.expected:,} {unit}{share}", *_pace(tick), *_findings(tick)]
    return ", ".join(parts)


def _pace(tick: Tick) -> list[str]:
    parts = (
        [f"{tick.rate_per_s:,.0f}/s" if tick.rate_per_s >= 10 else f"{tick.rate_per_s:.1f}/s"]
        if tick.rate_per_s
        else []
    )
    if tick.left_s is not None and tick.done < tick.expected:
        parts.append(f"{duration_text(max(1.0, tick.left_s)).replace('.0 s', ' s')} left")
    return parts


def _findings(tick: Tick) -> list[str]:
    parts = [count_text(tick.leaks, "leak", "leaks") if tick.leaks else "no leaks"]
    if tick.others:
        parts.append(f"{tick.others:,} not as expected")
    return parts


class _Plain:
    """One line at the start of each five seconds, and one at the end."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float], unit: str) -> None:
        self._stream, self._clock, self._unit = stream, clock, unit
        self._next = clock() + _PLAIN_EVERY_S
        self._last: Tick | None = None
        self._printed: Tick | None = None

    def __enter__(self) -> _Plain:
        return self

    def update(self, tick: Tick) -> None:
        self._last = tick
        now = self._clock()
        if now >= self._next:
            self._next = now + _PLAIN_EVERY_S
            self._print(tick)

    def __exit__(self, *_: object) -> None:
        # A run shorter than one interval says nothing: the report that follows says all.
        if self._printed is not None and self._last is not None and self._last != self._printed:
            self._print(self._last)

    def _print(self, tick: Tick) -> None:
        self._printed = tick
        note = f"  {clean(tick.note)}" if tick.note else ""
        self._stream.write(f"{tick_text(tick, unit=self._unit)}{note}\n")
        self._stream.flush()


class _Live:
    """A bar and a line of figures, redrawn at most ten times a second and gone when the run ends."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float], unit: str) -> None:
        self._stream, self._clock, self._unit = stream, clock, unit
        self._next = 0.0
        self._live: Live | None = None
        self._drawing = ExitStack()

    def __enter__(self) -> _Live:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, force_terminal=True, highlight=False)
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._drawing.enter_context(drawing(self._stream))
        self._live.start()
        return self

    def update(self, tick: Tick) -> None:
        now = self._clock()
        if self._live is None or (now < self._next and tick.done < tick.expected):
            return
        from rich.text import Text

        self._next = now + _LIVE_EVERY_S
        width = self._live.console.width
        bar = _bar(tick, width=min(30, max(8, width // 4)))
        style = "bold white on red" if tick.leaks else "green"
        figures = f"{tick.done:,}/{tick.expected:,} {self._unit}  {'  '.join(_pace(tick))}  "
        line = Text.assemble(
            (bar, "bold red" if tick.leaks else "green"), "  ", figures, ("  ".join(_findings(tick)), style)
        )
        if tick.note:
            line.append("\n" + fit(clean(tick.note), width - 1), style="dim")
        self._live.update(line, refresh=True)

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        self._drawing.close()


def _bar(tick: Tick, *, width: int) -> str:
    filled = min(width, width * tick.done // tick.expected) if tick.expected else 0
    return "━" * filled + "┄" * (width - filled)
