"""Which requirements a run shows, in words: the lines of the list that its passed suites cover."""

from __future__ import annotations

from plangate.documents.requirements import REQUIREMENTS
from plangate.reports.safe_text import clean
from plangate.verdicts.claims import shown_requirements
from plangate.verdicts.result import RunSummary

__all__ = ["shown_texts"]


def shown_texts(summary: RunSummary) -> dict[str, str]:
    """Id -> what it asks, and what is left open even so; an id of another version's list is told without its text."""
    return {clean(name): _text(name) for name in shown_requirements(summary)}


def _text(name: str) -> str:
    requirement = REQUIREMENTS.get(name)
    if requirement is None:
        return "not in the list of this version"
    return f"{requirement.text} (open: {requirement.open})" if requirement.open else requirement.text
