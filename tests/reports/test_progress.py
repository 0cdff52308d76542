"""Progress: plain lines every five seconds without escape sequences, or one live line that is gone at the end."""

from __future__ import annotations

import io

from plangate.reports import Tick, progress_display


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_one_line_every_five_seconds() -> None:
    clock, stream = Clock(), io.StringIO()
    with progress_display(stream, terminal=False, clock=clock) as display:
        for second in range(1, 13):
            clock.now = 100.0 + second
            display.update(
                Tick.after(
                    done=1000 * second, expected=12_960, elapsed_s=float(second), leaks=second // 4, note="gating"
                )
            )
    assert stream.getvalue().splitlines() == [
        "5,000 of 12,960 observations (38%), 1,000/s, 8 s left, 1 leak  gating",
        "10,000 of 12,960 observations (77%), 1,000/s, 3 s left, 2 leaks  gating",
        "12,000 of 12,960 observations (92%), 1,000/s, 1 s left, 3 leaks  gating",
    ]


def test_a_short_run_prints_nothing() -> None:
    clock, stream = Clock(), io.StringIO()
    with progress_display(stream, terminal=False, clock=clock) as display:
        display.update(Tick.after(done=10, expected=20, elapsed_s=0.5))
        display.update(Tick.after(done=20, expected=20, elapsed_s=1.0))
    assert stream.getvalue() == ""


def test_the_rate_counts_only_what_this_invocation_did() -> None:
    tick = Tick.after(done=900, expected=1000, already=800, elapsed_s=10.0)
    assert (tick.rate_per_s, tick.left_s) == (10.0, 10.0)


def test_nothing_done_yet_has_no_rate_and_no_time_left() -> None:
    assert Tick.after(done=0, expected=10, elapsed_s=0.0).left_s is None
    assert Tick.after(done=5, expected=10, already=5, elapsed_s=3.0).left_s is None


def test_a_terminal_gets_a_live_line_that_shows_leaks_and_is_gone_at_the_end() -> None:
    clock, stream = Clock(), io.StringIO()
    with progress_display(stream, terminal=True, clock=clock) as display:
        for second in range(3):
            clock.now += 1.0
            display.update(
                Tick.after(done=second, expected=3, elapsed_s=1.0 + second, leaks=second, note="a\x1b]0;x\x07b")
            )
    text = stream.getvalue()
    assert "2 leaks" in text
    assert "\x1b]0;" not in text
    assert text.endswith(("\x1b[2K", "\r", "\x1b[?25h"))


def test_live_updates_are_drawn_ten_times_a_second_at_most() -> None:
    clock, stream = Clock(), io.StringIO()
    with progress_display(stream, terminal=True, clock=clock) as display:
        for number in range(1_000):
            clock.now += 0.001
            display.update(Tick.after(done=number, expected=100_000, elapsed_s=1.0))
    assert stream.getvalue().count("100,000") <= 12
