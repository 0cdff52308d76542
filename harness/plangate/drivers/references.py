"""What `env:NAME` and `file:PATH` stand for. Values come from the context, never from the process behind its back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from plangate.documents.secret_texts import is_reference
from plangate.drivers.redaction import redact
from plangate.errors import InputError, Problem

__all__ = ["read_inside", "redact", "resolve", "resolve_secrets"]

FILE_BYTES_MAX: Final = 64 * 1024


def resolve(text: str, *, environ: Mapping[str, str], workspace: Path, where: str) -> str:
    """The value that `text` stands for; plain text stands for itself.

    `where` names the place in the document (`bindings.secrets.api_key`). A relative path is looked up in the workspace
    and may not leave it; an absolute one is taken as given. The last line break of a file is dropped. Raises InputError
    `missing-environment-variable`, `unreadable-file`, `path-escapes`.
    """
    if text.startswith("env:"):
        return _variable(text.removeprefix("env:"), environ, where)
    if text.startswith("file:"):
        return _file(text.removeprefix("file:"), workspace, where)
    return text


def resolve_secrets(
    secrets: Mapping[str, str], workspace: Path, environ: Mapping[str, str], *, where: str = "bindings.secrets"
) -> dict[str, str]:
    """All secrets of an environment by name. Raises one InputError for all that cannot be resolved.

    A secret written out in the document is refused (`literal-secret`).
    """
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for name, text in secrets.items():
        place = f"{where}.{name}"
        try:
            if not is_reference(text):
                raise InputError(
                    "a secret is written out in the document",
                    code="literal-secret",
                    where=place,
                    hint="keep it elsewhere and write env:NAME or file:PATH",
                )
            values[name] = resolve(text, environ=environ, workspace=workspace, where=place)
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError.of(problems)
    return values


def _variable(name: str, environ: Mapping[str, str], where: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise InputError(
            f"the environment variable {name!r} is {'empty' if name in environ else 'not set'}",
            code="missing-environment-variable",
            where=where,
            hint=f"set it: export {name}=...",
        )
    return value


def _file(path: str, workspace: Path, where: str) -> str:
    try:
        text = read_inside(path, workspace=workspace, where=where).decode("utf-8")
    except ValueError as error:
        why = "it is not UTF-8 text"
        raise InputError(f"{path!r} cannot be read: {why}", code="unreadable-file", where=where) from error
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise InputError(f"{path!r} is empty", code="unreadable-file", where=where)
    return text


def read_inside(path: str, *, workspace: Path, where: str, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """The bytes of a file that a binding names: a relative path is in the workspace and stays there.

    Raises InputError `unreadable-file`, `path-escapes`.
    """
    if "\x00" in path:
        raise InputError("a path holds a NUL character", code="unreadable-file", where=where)
    root = workspace.resolve()
    target = (root / path).resolve()
    if not Path(path).is_absolute() and not target.is_relative_to(root):
        raise InputError(
            f"{path!r} leaves the workspace",
            code="path-escapes",
            where=where,
            hint="name a file inside the workspace, or give an absolute path",
        )
    try:
        if not target.is_file():  # a device or a pipe might never end
            raise InputError(f"{path!r} is not a file", code="unreadable-file", where=where)
        with target.open("rb") as file:
            raw = file.read(bytes_max + 1)
    except OSError as error:
        raise InputError(f"{path!r} cannot be read: {error.strerror}", code="unreadable-file", where=where) from error
    if len(raw) > bytes_max:
        raise InputError(f"{path!r} is larger than {bytes_max:,} bytes", code="unreadable-file", where=where)
    return raw
