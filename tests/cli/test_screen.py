"""Sentences on a terminal end where a word does, within its columns; for programs each stays one line."""

from __future__ import annotations

import io
import sys

import pytest

from plangate.cli.screen import echo_wrapped

SENTENCE = "  P1  gate gating is missing: no result is recorded for this release and these bindings"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("hanging", [4, 5, 6])
def test_a_sentence_fits_a_terminal_and_loses_no_word(monkeypatch: pytest.MonkeyPatch, hanging: int) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stdout", Terminal())
    echo_wrapped(SENTENCE, hanging=hanging)
    first, *more = sys.stdout.getvalue().splitlines()  # type: ignore[attr-defined]
    assert more
    assert first.startswith("  P1  gate")
    assert all(line.startswith(" " * hanging) and line[hanging] != " " for line in more)
    assert max(map(len, [first, *more])) <= 40
    assert " ".join([first, *more]).split() == SENTENCE.split()


@pytest.mark.parametrize("hanging", [4, 5, 6, 200])
def test_a_program_reads_whole_lines(monkeypatch: pytest.MonkeyPatch, hanging: int) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    echo_wrapped(SENTENCE, hanging=hanging)
    assert sys.stdout.getvalue() == SENTENCE + "\n"  # type: ignore[attr-defined]
