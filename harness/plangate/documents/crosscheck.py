"""A workspace as a whole: every document, what they say of each other, and the lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from plangate.errors import Problem

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace

__all__ = ["workspace_problems"]


def workspace_problems(workspace: Workspace) -> list[Problem]:
    """Everything that is wrong, sorted by place."""
    return sorted(_all(workspace))


def _all(workspace: Workspace) -> Iterator[Problem]:
    from plangate.documents.kinds import Kind
    from plangate.documents.files import list_documents
    for kind in Kind:
        for names in list_documents(workspace.root, kind):
            yield from workspace.document(kind, *names).problems
