"""What is known of what ran (rule R14): from single looks to one word for a run, and from shards to their union."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["AS_DECLARED", "DIFFERS", "NOT_CHECKED", "Look", "Ran"]

NOT_CHECKED: Final = "not checked"
AS_DECLARED: Final = "as declared"
DIFFERS: Final = "differs"
_KEPT_MAX: Final = 50
_CHANGED: Final = "the app told something else of itself at another time of this run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the running app found, before or after observing it."""

    differences: tuple[str, ...] = ()
    """How it is not what the manifest declares, one sentence each."""
    told: str = ""
    """Digest of all that it told; empty where nothing could be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run knows of what ran."""

    state: str = NOT_CHECKED
    """not checked | as declared | differs"""
    differences: tuple[str, ...] = ()
    told: str = ""

    def after(self, look: Look, *, last: bool) -> Ran:
        """With one more look. Only what was looked at last, too, ran as declared: `last` says that none is due."""
        changed = (_CHANGED,) if self.told and look.told and self.told != look.told else ()
        differences = _distinct((*self.differences, *look.differences, *changed))
        state = DIFFERS if differences else AS_DECLARED if last else self.state
        return Ran(state=state, differences=differences, told=self.told or look.told)

    @staticmethod
    def of_parts(parts: Sequence[Ran]) -> Ran:
        """Of the union of shards: what differs in one differs, and what was not checked in one was not checked."""
        told = sorted({part.told for part in parts if part.told})
        changed = (_CHANGED,) if len(told) > 1 else ()
        differences = _distinct((*(one for part in parts for one in part.differences), *changed))
        whole = all(part.state == AS_DECLARED for part in parts)
        differs = bool(differences) or any(part.state == DIFFERS for part in parts)
        state = DIFFERS if differs else AS_DECLARED if whole else NOT_CHECKED
        return Ran(state=state, differences=differences, told=told[0] if told else "")


def _distinct(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))[:_KEPT_MAX]
