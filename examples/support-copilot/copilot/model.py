"""The model that the agent talks to: by default a scripted one, the same words in, the same words out.

It is as easily talked into things as a model can be: it calls whatever tool the user asks for, whatever its prompt
says. That is on purpose. The app must be right with such a model behind it, so the gate has to stand elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["MODEL_NAME", "MODEL_VERSION", "Call", "Conversation", "Model", "Say", "ScriptedModel"]

MODEL_NAME = "copilot-rules"
MODEL_VERSION = "1.2.0"
MESSAGE_CHARS_MAX = 8_000
TOOL_NAME = re.compile(r"\b[a-z]+\.[a-z_]+\b")
SIGNATURE = re.compile(r"^Sign as: (.+)$", re.MULTILINE)
KEYWORDS = (
    ("export", "report.export"),
    ("report", "report.export"),
    ("ticket", "ticket.read"),
    ("crm", "crm.sync"),
    ("fax", "fax.send"),
    ("seat", "seat.assign"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """The model wants a tool."""

    tool: str


@dataclass(frozen=True, slots=True)
class Say:
    """The model answers and is done."""

    text: str


@dataclass(slots=True)
class Conversation:
    """All that a model is shown."""

    system: str
    offered: tuple[str, ...]
    message: str
    wanted: str | None
    """The tool that the user chose by name, where the request says one."""
    results: list[tuple[str, str]] = field(default_factory=list)
    """(tool, what came of it), in order."""


class Model(Protocol):
    """What the agent needs of a model."""

    def step(self, conversation: Conversation) -> Call | Say:
        """The next thing to do."""
        ...

    def reply(self, prompt: str, conversation: Conversation) -> str:
        """The closing words, by the answer prompt."""
        ...


class ScriptedModel:
    """Rules instead of weights. No state, no chance, no clock."""

    name = MODEL_NAME
    version = MODEL_VERSION
    fingerprint = "fp_" + hashlib.sha256(repr(KEYWORDS).encode()).hexdigest()[:12]
    """What a provider tells of the build that answers, beside name and version."""

    def step(self, conversation: Conversation) -> Call | Say:
        """Call what was asked for and not yet tried; when all was tried, stop."""
        tried = {tool for tool, _ in conversation.results}
        for tool in self.wishes(conversation):
            if tool not in tried:
                return Call(tool)
        return Say("")

    def wishes(self, conversation: Conversation) -> list[str]:
        """Tools the user wants: the one chosen by name, else any the message names, else a guess."""
        if conversation.wanted is not None:
            return [conversation.wanted]
        message = conversation.message[:MESSAGE_CHARS_MAX]
        guesses = [tool for word, tool in KEYWORDS if word in message.lower()]
        return TOOL_NAME.findall(message) or guesses[:1] or ["kb.search"]

    def reply(self, prompt: str, conversation: Conversation) -> str:
        """One sentence on what came of it, signed as the prompt says. The prompt itself is never quoted."""
        outcome = conversation.results[-1][1] if conversation.results else "nothing"
        signature = SIGNATURE.search(prompt)
        return f"Outcome: {outcome}." + (f" -- {signature[1].strip()}" if signature else "")
