"""Prompts come from files that the configuration names; none is written in the code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["PromptBook", "PromptError"]

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
PROMPT_CHARS_MAX = 20_000


class PromptError(ValueError):
    """A prompt cannot be used; the app refuses to start."""


class PromptBook:
    """The prompts of this installation, each at one exact version."""

    def __init__(self, folder: Path, versions: Iterable[tuple[str, str]]) -> None:
        self.versions = dict(versions)
        self.digests: dict[str, str] = {}
        self._sources: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        for name, version in self.versions.items():
            self.keep(name, _read(folder / name / f"{version}.md"))

    def source(self, name: str) -> str:
        """A prompt's file as it is used."""
        return self._sources[name]

    def keep(self, name: str, source: str) -> None:
        """Use `source`, front matter included, for `name`. Raises PromptError."""
        self._texts[name] = _template(name, source)
        self._sources[name] = source
        self.digests[name] = "sha256:" + hashlib.sha256(source.encode()).hexdigest()

    def render(self, name: str, values: Mapping[str, str]) -> str:
        """A prompt with its placeholders filled in; empty where this installation has no such prompt."""
        return PLACEHOLDER.sub(lambda match: values.get(match[1], ""), self._texts.get(name, ""))


def _read(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"prompt {path} cannot be read: {getattr(error, 'strerror', '') or 'not UTF-8'}") from error
    if len(text) > PROMPT_CHARS_MAX:
        raise PromptError(f"prompt {path} is longer than {PROMPT_CHARS_MAX} characters")
    return text


def _template(name: str, source: str) -> str:
    text = source.replace("\r\n", "\n")
    head, marks, body = text.removeprefix("---\n").partition("\n---\n")
    if not (text.startswith("---\n") and head and marks):
        raise PromptError(f"prompt {name} has no front matter")
    return body.strip()
