"""One file's bytes -> a frozen document, with everything that is wrong with it: the steps in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from plangate.documents.catalog_rules import catalog_problems
from plangate.documents.environment_rules import environment_problems
from plangate.documents.kinds import Kind
from plangate.documents.loader import BYTES_MAX, Loaded, load, load_text
from plangate.documents.parse_catalog import parse_catalog
from plangate.documents.parse_environment import parse_environment
from plangate.documents.parse_prompt import parse_prompt, split_front_matter
from plangate.documents.parse_suite import parse_suite
from plangate.documents.parse_trust import parse_trust
from plangate.documents.positions import Positions
from plangate.documents.problems import capped
from plangate.documents.scalars import whole_numbers
from plangate.documents.secret_texts import secrets_in_text
from plangate.documents.suite_rules import prompt_problems, suite_problems, trust_problems
from plangate.documents.text import as_committed, read_text
from plangate.documents.validation import validate
from plangate.errors import InputError, Problem

__all__ = ["Document", "read_document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that was read. `model` is None where its shape is wrong; `problems` are sorted by place."""

    path: str
    kind: Kind
    digest: str
    """`sha256:...` of the file's bytes, as every checkout has them."""
    model: Any
    """Environment, PlanCatalog, Prompt, Suite or Trust, as `kind` says."""
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that are no warnings."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    def sound(self) -> Any:
        """The model. Raises InputError with every error of the document where there is one."""
        if self.errors:
            raise InputError.of(self.errors)
        return self.model


def read_document(kind: Kind, data: bytes, *, path: str) -> Document:
    """`data` as a document of `kind`, named `path` in messages. Total: what is wrong is in `problems`."""
    data = as_committed(data)
    template = ""
    if kind is Kind.PROMPT:
        loaded, template = _load_prompt(data, path)
    else:
        loaded = load(data, path=path)
    problems = list(loaded.problems)
    model = None
    if loaded.complete:
        problems += validate(kind, loaded.value, loaded.positions)
    if not problems:
        loaded = replace(loaded, value=whole_numbers(loaded.value, except_in=_FREE.get(kind, ())))
        model = _parse(kind, loaded, template)
        problems += capped(_RULES[kind](model))
    told = {problem.line for problem in problems if problem.code == "literal-secret"}
    written = secrets_in_text(data[: BYTES_MAX + 1].decode("utf-8", "replace"), path=path)
    problems += capped(one for one in written if one.line not in told)
    return Document(
        path=path,
        kind=kind,
        digest="sha256:" + sha256(data).hexdigest(),
        model=model,
        problems=tuple(sorted(problems)),
    )


def _load_prompt(data: bytes, path: str) -> tuple[Loaded, str]:
    text, problems, readable = read_text(data, path=path, bytes_max=BYTES_MAX, tabs_allowed=True)
    if readable:
        front, template, unfenced = split_front_matter(text, path=path)
        if not unfenced:
            return load_text(front, path=path, problems=problems), template
        problems += unfenced
    return Loaded(None, Positions(path), tuple(problems), complete=False), ""


def _parse(kind: Kind, loaded: Loaded, template: str) -> Any:
    if kind is Kind.PROMPT:
        return parse_prompt(_mapping(loaded), template, loaded.positions)
    return _PARSERS[kind](_mapping(loaded), loaded.positions)


def _mapping(loaded: Loaded) -> dict[str, Any]:
    value: dict[str, Any] = loaded.value  # type: ignore[assignment]  # every schema asks for a mapping
    return value


_FREE: Final = {Kind.ENVIRONMENT: ("flags", "identity", "json", "options", "parameters")}
"""Keys of what a document only passes on: there `1.0` may be meant as it is written."""
_PARSERS: Final[dict[Kind, Callable[[dict[str, Any], Positions], Any]]] = {
    Kind.ENVIRONMENT: parse_environment,
    Kind.PLAN_CATALOG: parse_catalog,
    Kind.SUITE: parse_suite,
    Kind.TRUST: parse_trust,
}
_RULES: Final[dict[Kind, Callable[[Any], Iterator[Problem]]]] = {
    Kind.ENVIRONMENT: environment_problems,
    Kind.PLAN_CATALOG: catalog_problems,
    Kind.PROMPT: prompt_problems,
    Kind.SUITE: suite_problems,
    Kind.TRUST: trust_problems,
}
