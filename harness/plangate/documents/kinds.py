"""The kinds of document there are, where each lies, and its JSON Schema."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from pkgutil import get_data
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plangate.documents.schema_check import SchemaCheck

__all__ = ["Kind", "schema_check", "schema_of", "schema_text"]


class Kind(StrEnum):
    """A kind of document; the value is its schema's name, and what `plangate schema` takes."""

    ENVIRONMENT = "environment"
    PLAN_CATALOG = "plan-catalog"
    PROMPT = "prompt"
    SUITE = "suite"
    TRUST = "trust"

    @property
    def document_kind(self) -> str:
        """What the document's own `kind` field says."""
        return self.value.title().replace("-", "")

    @property
    def folder(self) -> str:
        """Where such documents lie, as a pattern under the workspace."""
        return _FOLDERS[self]


_FOLDERS = {
    Kind.ENVIRONMENT: "envs/<name>.yaml",
    Kind.PLAN_CATALOG: "envs/plans/<name>/<version>.yaml",
    Kind.PROMPT: "prompts/<name>/<version>.md",
    Kind.SUITE: "evals/<name>.yaml",
    Kind.TRUST: "envs/trust.yaml",
}


def schema_text(kind: Kind) -> str:
    """The JSON Schema file of a kind, as it is shipped."""
    data = get_data("plangate.documents", f"schemas/{kind.value}.json")
    if data is None:
        raise FileNotFoundError(f"the schema of {kind.value} is not part of this installation")
    return data.decode("utf-8")


@cache
def schema_of(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of a kind, read once."""
    schema: dict[str, Any] = json.loads(schema_text(kind))
    return schema


@cache
def schema_check(kind: Kind) -> SchemaCheck:
    """The check that a kind's schema compiles to, once."""
    from plangate.documents.schema_check import compile_schema

    return compile_schema(schema_of(kind))
