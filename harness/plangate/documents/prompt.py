"""Prompt: a versioned template of `prompts/<name>/<version>.md`; immutable once locked."""

from __future__ import annotations

from dataclasses import dataclass, field

from plangate.documents.positions import Positions

__all__ = ["Prompt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt as written. A placeholder in the template is `{{ name }}`."""

    name: str
    version: str
    template: str
    """Everything after the front matter."""
    role: str = "system"
    """system | user | assistant"""
    variables: tuple[str, ...] = ()
    """Names the template may use."""
    description: str = ""
    positions: Positions = field(default=Positions(""), compare=False, repr=False)
