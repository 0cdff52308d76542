"""A manifest's text with another release and revision: comments, order and layout of everything else are kept.

A value that differs is replaced where it stands; an entry that came or went is one line more or less; only a mapping
in braces whose keys differ is written anew. What comes out is read again and must be exactly what was meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from plangate.documents.environment import Json
from plangate.documents.loader import load
from plangate.documents.scalars import BadScalarError, read_plain
from plangate.errors import InputError
from plangate.releases.canonical import canonical_bytes

__all__ = ["edited"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@+-]{0,100}\Z")
_Edit = tuple[int, int, str]


def edited(
    data: bytes, *, release: Mapping[str, Json], revision: int, path: str, bindings: Mapping[str, Json] | None = None
) -> bytes:
    """`data`, an environment's manifest, with `release` and `metadata.revision` (and `bindings`, where they are given)
    replaced and nothing else.

    Raises InputError `manifest-not-editable` where the result would not read as exactly that.
    """
    before = load(data, path=path)
    value = before.value
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if before.problems or not isinstance(value, dict) or not isinstance(metadata, dict):
        raise _refused(path)
    text = data.decode("utf-8")
    wanted: dict[str, Json] = {**value, "metadata": {**metadata, "revision": revision}, "release": dict(release)}
    if bindings is not None:
        wanted["bindings"] = dict(bindings)
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        raise _refused(path)
    edits = list(_edits(root, value, wanted, text))
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], edit[1]), reverse=True):
        text = text[:start] + new + text[end:]
    after = load(text.encode(), path=path)
    if after.problems or canonical_bytes(after.value) != canonical_bytes(wanted):
        raise _refused(path)
    return text.encode()


def _edits(node: yaml.Node, before: Json, after: Json, text: str) -> Iterator[_Edit]:
    if canonical_bytes(before) == canonical_bytes(after):
        return
    if not (isinstance(before, dict) and isinstance(after, dict) and isinstance(node, yaml.MappingNode)):
        yield node.start_mark.index, _end(node), _written(after, style=getattr(node, "style", None))
        return
    if before.keys() != after.keys():
        kept = before.keys() & after.keys()
        if node.flow_style or not kept:
            yield node.start_mark.index, _end(node), _written(after)
            return
        yield from _lines(node, before, after, text)
    for key, value in node.value:
        if key.value in before and key.value in after:
            yield from _edits(value, before[key.value], after[key.value], text)


def _lines(node: yaml.MappingNode, before: Mapping[str, Json], after: Mapping[str, Json], text: str) -> Iterator[_Edit]:
    """Entries of a mapping written in lines: those that are gone are cut, new ones follow the last."""
    for key, value in node.value:
        if key.value not in after:
            yield _line_start(text, key.start_mark.index), _line_end(text, _end(value)), ""
    added = [name for name in after if name not in before]
    if added:
        indent = " " * node.start_mark.column
        place = _line_end(text, _end(node))
        head = "" if text[:place].endswith("\n") else "\n"
        yield place, place, head + "".join(f"{indent}{_written(name)}: {_written(after[name])}\n" for name in added)


def _end(node: yaml.Node) -> int:
    """Where a node's own text ends; PyYAML counts the comments after a block into it."""
    if isinstance(node, yaml.ScalarNode) or getattr(node, "flow_style", True):
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _written(value: Json, *, style: str | None = None) -> str:
    """A value as YAML in one line; text as it was quoted before, and quoted wherever it would read as another type."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(name)}: {_written(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_written(part) for part in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    return value if style is None and _reads_as_itself(value) else json.dumps(value, ensure_ascii=False)


def _reads_as_itself(text: str) -> bool:
    if not _PLAIN.match(text):
        return False
    try:
        found: Any = read_plain(text)
    except BadScalarError:
        return False
    return bool(found == text)


def _refused(path: str) -> InputError:
    return InputError(
        "the new release cannot be written into this manifest without touching the rest",
        code="manifest-not-editable",
        where=path,
        hint="write release: as plain lines or one mapping in braces; `plangate check` names what is wrong",
    )
