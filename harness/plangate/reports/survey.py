"""A stored run looked through once: its outcome, its picture and its causes. Every report for people starts here."""

from __future__ import annotations

from dataclasses import dataclass

from plangate.reports.causes import Cause, find_causes
from plangate.reports.picture import Picture, PictureCounter
from plangate.reports.tally import Tally
from plangate.verdicts.result import RunReport, RunSummary

__all__ = ["Survey", "survey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one pass over a run's cells tells."""

    summary: RunSummary
    picture: Picture
    causes: tuple[Cause, ...]
    """Leaks first; every failing cell is counted in exactly one."""
    place: str = ""
    """What a printed command needs beside: ` -w DIR`, or empty."""


def survey(report: RunReport) -> Survey:
    """Look once through the cells of `report`. Memory is bounded: it grows with squares and causes, not with cells."""
    summary = report.summary()
    counter, tally = PictureCounter(), Tally()
    for result in report.cells():
        counter.add(result)
        tally.add(result)
    if summary.totals.missing:
        for result in report.unobserved():
            counter.add_unobserved(result)
    picture = counter.picture(summary.suites)
    return Survey(summary=summary, picture=picture, causes=find_causes(tally, summary.suites), place=report.place)
