"""What a person probably meant by a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the nearest known word, or all of them where none is near. Total: never raises."""
    from difflib import get_close_matches

    names = sorted(set(known))
    near = get_close_matches(word[:100], names, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
