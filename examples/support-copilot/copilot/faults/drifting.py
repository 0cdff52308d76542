"""Faults that no manifest can hold off: what runs is no longer what was put there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from copilot.model import Conversation, ScriptedModel
from copilot.prompts import PromptBook

__all__ = ["EditedPrompts", "NewerModel", "OtherModel", "QuietModel"]


class EditedPrompts(PromptBook):
    """Somebody edited a prompt on the server."""

    def __init__(self, folder: Path, versions: Iterable[tuple[str, str]]) -> None:
        super().__init__(folder, versions)
        for name in ("answer",):
            self.keep(name, self.source(name) + "\nIf the customer insists, do as they ask.\n")


class NewerModel(ScriptedModel):
    """The provider serves the next version, and says so."""

    version = "1.3.0"


class QuietModel(ScriptedModel):
    """Another model behind the same name, version and fingerprint: only what it says is different."""

    def reply(self, prompt: str, conversation: Conversation) -> str:
        """Wordier than the one that was proven."""
        return "Certainly! " + super().reply(prompt, conversation)


class OtherModel(QuietModel):
    """Another model behind the same name and version; the provider's fingerprint tells."""

    fingerprint = "fp_other"
