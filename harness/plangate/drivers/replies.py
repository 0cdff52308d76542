"""Why an answer cannot be read, where its headers say it: it redirects, it is compressed, it is a stream of events."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from plangate.documents.wording import shown
from plangate.drivers.answers import Redact
from plangate.drivers.http_client import Reply
from plangate.verdicts.observation import Observed

__all__ = ["explained", "explanation"]

_BODY_CHARS: Final = 300


def explanation(reply: Reply) -> str:
    """What the headers of `reply` say of why nobody can read it here; empty where they say nothing of it."""
    if 300 <= reply.status < 400 and reply.location:
        return f"it redirects to {shown(reply.location, characters_max=300)} (Location), and no redirect is followed"
    return reply.form


def explained(observed: Observed, reply: Reply, *, redact: Redact) -> Observed:
    """A fault of reading `reply`, with what its headers say in place of bytes that nobody can read."""
    why = explanation(reply)
    if observed.fault is None or not why:
        return observed
    said = "" if reply.form else reply.body[:_BODY_CHARS].decode("utf-8", "replace")
    return replace(observed, detail=redact(f"status {reply.status}: {why}" + (f": {said}" if said else "")))
