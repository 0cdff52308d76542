"""YAML bytes -> a JSON value with the line and column of everything in it, or what is wrong and where.

Reads PyYAML's event stream, never its objects: no alias is expanded, no tag is looked up, no nesting is recursed into.
A document is bounded in bytes, depth and number of values, and each bound is checked before the work it limits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from yaml import YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from plangate.documents.environment import Json
from plangate.documents.positions import Pointer, Positions
from plangate.documents.scalars import BadScalarError, read_plain
from plangate.documents.text import read_text
from plangate.documents.wording import shown
from plangate.errors import Problem

__all__ = ["BYTES_MAX", "DEPTH_MAX", "VALUES_MAX", "Loaded", "PureParser", "load", "load_text"]

BYTES_MAX: Final = 4 * 1024 * 1024
DEPTH_MAX: Final = 64
VALUES_MAX: Final = 250_000

_NO_KEY: Final = object()
_SYNTAX_HINTS: Final = (
    (re.compile("mapping values are not allowed"), "put text that holds ': ' in quotes"),
    (re.compile("expected ',' or '[]}]'"), "the list or mapping opened there is not closed: is the file cut off?"),
    (re.compile("unexpected end of stream"), "the file ends inside a quoted text: is it cut off?"),
    (re.compile("node content"), "a value is missing here: is the file cut off?"),
    (re.compile("expected <?'?(document start|block end|key)"), "check the indentation of this line"),
    (re.compile("cannot start any token|could not find expected"), "put the value in quotes"),
)


class EventSource(Protocol):
    """What is asked of a YAML parser: one event after another, None at the end."""

    def get_event(self) -> Any:
        """The next event."""


class PureParser(Reader, Scanner, Parser):
    """PyYAML's parser in Python alone, for where libyaml is absent."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


ParserFactory = Callable[[str], EventSource]


def _fastest_parser() -> ParserFactory:
    try:
        from yaml import cyaml
    except ImportError:  # a PyYAML without libyaml: slower by about 7 times, same events
        return PureParser
    parser: ParserFactory = cyaml.CParser  # type: ignore[attr-defined]
    return parser


_DEFAULT_PARSER: Final = _fastest_parser()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read. `complete` is False where reading stopped early, so that `value` is only a part."""

    value: Json
    positions: Positions
    problems: tuple[Problem, ...]
    complete: bool


@dataclass(slots=True)
class _Draft:
    """A document while it is read: one mutable record, gone when `load` returns."""

    path: str
    values: dict[Pointer, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Pointer, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True

    def note(self, place: tuple[int, int], code: str, message: str, hint: str) -> None:
        line, column = place
        self.problems.append(Problem(path=self.path, line=line, column=column, code=code, message=message, hint=hint))

    def stop(self, place: tuple[int, int], code: str, message: str, hint: str) -> None:
        self.note(place, code, message, hint)
        self.complete = False


def load(data: bytes, *, path: str, parser: ParserFactory = _DEFAULT_PARSER) -> Loaded:
    """The one document in `data`, with the position of each value and key; `path` is how messages name it.

    Everything wrong is in `problems`, all at once as far as the stream can be followed. Total: never raises for bad
    input.
    """
    text, problems, readable = read_text(data, path=path, bytes_max=BYTES_MAX)
    if not readable:
        return Loaded(None, Positions(path), tuple(problems), complete=False)
    return load_text(text, path=path, parser=parser, problems=problems)


def load_text(
    text: str, *, path: str, parser: ParserFactory = _DEFAULT_PARSER, problems: list[Problem] | None = None
) -> Loaded:
    """`load` for text that `read_text` already passed, with the problems found there. Total."""
    draft = _Draft(path, problems=list(problems or ()), complete=not problems)
    found: list[Any] = []
    try:
        found = _build(_events(parser(text)), draft)
        if not found and draft.complete:
            draft.stop(
                (1, 1), "empty-document", "the file holds no document", "`plangate schema KIND` shows what belongs here"
            )
    except YAMLError as error:
        # A tab was already reported; what libyaml makes of the line with a space in its place is a guess.
        if draft.complete:
            draft.stop(*_syntax(error))
    value = found[0] if found else None
    return Loaded(value, Positions(path, draft.values, draft.keys), tuple(sorted(draft.problems)), draft.complete)


def _events(source: EventSource) -> Iterator[Any]:
    while (event := source.get_event()) is not None:
        yield event
        if type(event) is StreamEndEvent:
            return


def _build(events: Iterator[Any], draft: _Draft) -> list[Any]:
    """Fold the events into a list of documents: one, or none. One loop: it runs for each of up to 250,000 values."""
    root: list[Any] = []
    container: Any = root
    pointer: Pointer = ()
    key: Any = None  # None inside a list; _NO_KEY where a key must come next
    stack: list[tuple[Any, Pointer]] = []
    values = draft.values
    for event in events:
        kind = type(event)
        mark = event.start_mark
        place = (mark.line + 1, mark.column + 1)
        if kind is ScalarEvent or kind is AliasEvent:
            if key is _NO_KEY:
                key = _key(event, place, container, pointer, draft)
                continue
            value = _scalar(event, place, draft)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if not _may_open(event, place, key, len(stack), draft):
                break
            value = {} if kind is MappingStartEvent else []
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            container, pointer = stack.pop()
            key = _NO_KEY if type(container) is dict else None
            continue
        elif kind is DocumentStartEvent and not _may_begin(event, place, root, draft):
            break
        else:
            continue
        here = pointer if container is root else (*pointer, len(container) if key is None else key)
        values[here] = place
        if key is None:
            container.append(value)
        else:
            container[key] = value
            key = _NO_KEY
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            stack.append((container, pointer))
            container, pointer = value, here
            key = _NO_KEY if kind is MappingStartEvent else None
        if len(values) > VALUES_MAX:
            draft.stop(place, "too-many-values", f"holds more than {VALUES_MAX:,} values", "split the document")
            break
    return root


def _scalar(event: Any, place: tuple[int, int], draft: _Draft) -> Any:
    if type(event) is AliasEvent:
        draft.note(place, "anchor", "aliases (*name) are not read", "write the value out here")
        return None
    if event.anchor or event.tag:
        _refuse_decoration(event, place, draft)
    text: str = event.value
    if not event.implicit[0]:
        return _without_surrogates(text, place, draft)
    try:
        return read_plain(text)
    except BadScalarError as error:
        draft.note(place, error.code, str(error), error.hint)
        return 0


def _without_surrogates(text: str, place: tuple[int, int], draft: _Draft) -> str:
    if not text.isascii() and any("\ud800" <= mark <= "\udfff" for mark in text):
        draft.note(place, "invalid-text", "half of a surrogate pair is not text", "write the character itself")
        return ""
    return text


def _refuse_decoration(event: Any, place: tuple[int, int], draft: _Draft) -> None:
    if event.anchor:
        draft.note(place, "anchor", f"the anchor {shown('&' + event.anchor)} is not read", "remove it")
    if event.tag:
        draft.note(
            place,
            "tag",
            f"the tag {shown(event.tag)} is not read",
            "remove it; put text that looks like a number in quotes",
        )


def _key(event: Any, place: tuple[int, int], mapping: dict[str, Any], parent: Pointer, draft: _Draft) -> str:
    """The key's text as it is written, so that `1` and `no` are names like any other."""
    if type(event) is AliasEvent:
        draft.note(place, "anchor", "aliases (*name) are not read", "write the key out here")
        return "*" + str(event.anchor)
    if event.anchor or event.tag:
        _refuse_decoration(event, place, draft)
    text = _without_surrogates(event.value, place, draft)
    if not text:
        draft.note(place, "key-not-text", "a key must not be empty", "write a name before the colon")
    pointer = (*parent, text)
    if text in mapping:
        line, column = draft.keys[pointer]
        first = f"{draft.path}:{line}:{column}"
        draft.note(place, "duplicate-key", f"{shown(text)} is given twice; first at {first}", "keep one of the two")
    else:
        draft.keys[pointer] = place
    return text


def _may_open(event: Any, place: tuple[int, int], key: Any, depth: int, draft: _Draft) -> bool:
    if event.anchor or event.tag:
        _refuse_decoration(event, place, draft)
    if key is _NO_KEY:
        draft.stop(
            place, "key-not-text", "a key must be text, not a list or a mapping", "write a name before the colon"
        )
        return False
    if depth >= DEPTH_MAX:
        draft.stop(place, "too-deep", f"nested deeper than {DEPTH_MAX} levels", "flatten the document")
        return False
    return True


def _may_begin(event: Any, place: tuple[int, int], root: list[Any], draft: _Draft) -> bool:
    if event.version or event.tags:
        draft.note(place, "directive", "YAML directives (lines that begin with %) are not read", "remove the line")
    if root:
        draft.stop(place, "several-documents", "a second document begins here", "keep one document a file")
        return False
    return True


def _syntax(error: YAMLError) -> tuple[tuple[int, int], str, str, str]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    context, problem = getattr(error, "context", None), getattr(error, "problem", None)
    start = getattr(error, "context_mark", None)
    since = f" {context} that begins at line {start.line + 1}" if context and start else ""
    message = f"not YAML: {problem or 'unreadable'}{since}"
    hint = next((hint for pattern, hint in _SYNTAX_HINTS if pattern.search(message)), "")
    return place, "yaml-syntax", message, hint
