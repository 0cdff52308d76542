"""Markdown with front matter -> Prompt: the two parts of the file, then the validated front matter."""

from __future__ import annotations

import re
from typing import Any, Final

from plangate.documents.positions import Positions
from plangate.documents.prompt import Prompt
from plangate.errors import Problem

__all__ = ["parse_prompt", "split_front_matter"]

_FENCE: Final = re.compile(r"^---[ ]*(?:\r\n|\r|\n|\Z)", re.MULTILINE)


def split_front_matter(text: str, *, path: str) -> tuple[str, str, list[Problem]]:
    """The YAML between the first two lines of `---`, the template after them, and what is wrong with the fences.

    The YAML begins with an empty line in place of the first fence, so that its line numbers are the file's.
    """
    first = _FENCE.match(text)
    second = _FENCE.search(text, first.end()) if first else None
    if first and second:
        return "\n" + text[first.end() : second.start()], text[second.end() :], []
    message = "the front matter is not closed" if first else "the file does not begin with front matter"
    problem = Problem(
        path=path,
        line=1,
        column=1,
        code="no-front-matter",
        message=message,
        hint="put apiVersion, kind and metadata between two lines of --- at the top",
    )
    return "", "", [problem]


def parse_prompt(raw: dict[str, Any], template: str, positions: Positions) -> Prompt:
    """The prompt whose front matter is `raw`, which must satisfy the Prompt schema."""
    metadata = raw["metadata"]
    return Prompt(
        name=metadata["name"],
        version=metadata["version"],
        template=template,
        role=raw.get("role", "system"),
        variables=tuple(raw.get("variables", ())),
        description=metadata.get("description", ""),
        positions=positions,
    )
