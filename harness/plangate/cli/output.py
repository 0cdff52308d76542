"""What a verb prints for programs: one JSON document, whatever happens, and never two.

Each document says its format (`"format": 1`), which grows when a key changes its meaning or goes away. Where a verb
cannot do what it was asked, the document is `{"format": 1, "error": {"code", "message", "hint", "where"}}`.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from plangate import JSON_FORMAT
from plangate.cli.placing import placed_commands
from plangate.errors import ExitCode, InputError, PlangateError, Problem, StoreError
from plangate.line_guard import inert_json

__all__ = [
    "Output",
    "error_document",
    "json_text",
    "note_workspace",
    "print_document",
    "print_document_with_rows",
    "say_error",
]


class Output:
    """One command's standard output: whether a program reads it, and whether a document is out already."""

    def __init__(self, arguments: Sequence[str]) -> None:
        own = list(arguments)
        self.as_json = "--json" in (own[: own.index("--")] if "--" in own else own)
        """Looked for before the command line is parsed, because what is wrong may be the command line."""
        self.printed = False
        self.workspace: Path | None = None
        """The workspace the verb opened, where it came that far."""

    def fail(self, error: PlangateError) -> ExitCode:
        """Say on standard error, and as a document where a program reads, why there is no answer; the status."""
        say_error(error, root=self.workspace)
        if self.as_json and not self.printed:
            self.printed = True
            click.echo(json_text(error_document(error, root=self.workspace)))
        return error.exit_code

    def refuse(self, error: click.ClickException) -> ExitCode:
        """The same for a command line that click does not take."""
        error.show()
        if self.as_json and not self.printed:
            self.printed = True
            hint = error.ctx.get_usage() if isinstance(error, click.UsageError) and error.ctx else ""
            told = PlangateError(error.format_message(), code="usage", hint=hint)
            click.echo(json_text(error_document(told)))
        return ExitCode.INPUT

    def interrupted(self) -> ExitCode:
        """Somebody asked it to stop: no news to a person, a document to a program."""
        if self.as_json and not self.printed:
            self.printed = True
            click.echo(json_text(error_document(PlangateError("interrupted", code="interrupted"))))
        return ExitCode.INTERRUPTED

    def surprise(self, error: BaseException) -> ExitCode:
        """What nobody foresaw: one sentence, and the traceback in a file that it names. Never a traceback on screen."""
        import traceback

        if (refused := _refused_by_the_system(error)) is not None:
            return self.fail(refused)
        log = self._keep("".join(traceback.format_exception(error)))
        kept = f"the details are in {log}" if log else "its details could not be kept: no folder can be written"
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(": ")
        message = f"plangate itself failed ({what}); {kept}"
        return self.fail(PlangateError(message, code="internal", hint="please report it with that file"))

    def _keep(self, text: str) -> Path | None:
        """Beside the runs' logs, or where temporary files go; None where neither can be written."""
        import tempfile

        folders = [self.workspace / ".plangate" / "logs"] if self.workspace is not None else []
        for folder in [*folders, Path(tempfile.gettempdir())]:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.NamedTemporaryFile(
                    "w", dir=folder, prefix="internal-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
                ) as file:
                    file.write(text)
                return Path(file.name)
            except OSError:
                continue
        return None


def _refused_by_the_system(error: BaseException) -> PlangateError | None:
    """A folder that is read-only, full or somebody else's is no failure of plangate, whichever file met it first."""
    if not isinstance(error, OSError) or error.filename is None:
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(
            "the disk is full", code="disk-full", where=str(error.filename), hint="free space, then again"
        )
    if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
        return None
    return InputError(
        f"cannot be written: {error.strerror}",
        code="unwritable-file",
        where=str(error.filename),
        hint="run it where the folder is yours and can be written to",
    )


def say_error(error: PlangateError, *, root: Path | None) -> None:
    """One line on standard error for each problem; what it tells to type works where it is read."""
    click.echo(placed_commands(f"error: {error}", root=root), err=True)


def error_document(error: PlangateError, *, root: Path | None = None) -> dict[str, Any]:
    """Why there is no answer. `problems` lists all of them where there are several."""

    def told(one: Problem) -> dict[str, Any]:
        hint = placed_commands(one.hint, root=root)
        return {"code": one.code, "message": one.message, "hint": hint, "where": one.where}

    first, *more = error.problems
    said = told(first)
    if more:
        said["problems"] = [told(one) for one in error.problems]
    return {"format": JSON_FORMAT, "error": said}


def print_document(document: Mapping[str, Any], *, ended_by: PlangateError | None = None) -> None:
    """The one way in which a verb prints JSON: `document` after its format, and with the error that cut it short."""
    output = _begun()
    root = output.workspace if output is not None else None
    cut: Mapping[str, Any] = {"error": error_document(ended_by, root=root)["error"]} if ended_by is not None else {}
    click.echo(json_text({"format": JSON_FORMAT, **document, **cut}))


def print_document_with_rows(document: Mapping[str, Any], name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """`document` with a last member `name`, whose rows are written one by one and never held: they may be a million."""
    _begun()
    click.echo(
        json_text({"format": JSON_FORMAT, **document}).removesuffix("\n}") + f",\n  {json.dumps(name)}: [", nl=False
    )
    separator = "\n    "
    for row in rows:
        click.echo(separator + json_text(row, indent=None), nl=False)
        separator = ",\n    "
    click.echo("\n  ]\n}")


def note_workspace(root: Path) -> None:
    """Where this command works; what goes wrong from here on is kept there."""
    if (output := _output()) is not None:
        output.workspace = root


def _begun() -> Output | None:
    if (output := _output()) is not None:
        output.printed = True
    return output


def _output() -> Output | None:
    context = click.get_current_context(silent=True)
    return context.find_object(Output) if context is not None else None


def json_text(document: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """As JSON that standard output can hold: other letters as they are where its encoding has them, else escaped."""
    text = inert_json(json.dumps(document, indent=indent, ensure_ascii=False))
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return inert_json(json.dumps(document, indent=indent))
    return text
