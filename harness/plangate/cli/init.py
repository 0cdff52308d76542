"""`plangate init DIR`: a workspace that passes at once and explains itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import click

from plangate.errors import InputError

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate init gates
  plangate init . --force
"""
_DOT = "dot-"
"""Names that begin with a dot are shipped under this prefix: build tools leave hidden files out."""
_MAY_BE_THERE = frozenset({".git"})


@click.command(epilog=_EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write into a folder that has files; what is there already is kept.")
def command(folder: Path, *, force: bool) -> int:
    """Make a workspace in DIR: a tiny app sold in two plans, its plan catalog, a suite, and a README.

    DIR is made where it does not exist. `plangate run dev -w DIR` passes at once.
    """
    _refuse_unless_free(folder, force=force)
    written, kept = [], []
    for name, content in _template(files("plangate").joinpath("workspace_template"), PurePosixPath()):
        target = folder / name
        if target.exists():
            kept.append(name)
            continue
        _write(target, content)
        written.append(name)
    click.echo(_report(folder, written, kept))
    return 0


def _refuse_unless_free(folder: Path, *, force: bool) -> None:
    """Raises InputError `not-a-folder` or `not-empty`."""
    try:
        found = {entry.name for entry in folder.iterdir()} - _MAY_BE_THERE
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise InputError(
            "a file stands where the workspace should go", code="not-a-folder", where=str(folder), hint="name another"
        ) from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    if found and not force:
        raise InputError(
            f"the folder is not empty ({len(found)} entries)",
            code="not-empty",
            where=str(folder),
            hint="name a new folder, or add --force: files that are there are kept",
        )


def _template(folder: Traversable, name: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Every file of the template with the name it is to have, sorted. Compiled leftovers of an installation are not."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name in {"__pycache__", "__init__.py"}:
            continue
        inside = name / (f".{entry.name.removeprefix(_DOT)}" if entry.name.startswith(_DOT) else entry.name)
        if entry.is_dir():
            yield from _template(entry, inside)
        else:
            yield inside, entry.read_bytes()


def _write(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:  # never over what somebody wrote in the meantime
            file.write(content)
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot be written: {error.strerror}", code="cannot-write", where=str(path), hint="name a folder that is yours"
    )


def _report(folder: Path, written: list[PurePosixPath], kept: list[PurePosixPath]) -> str:
    """What was made, and what to do next."""
    where = shlex.quote(str(folder))
    lines = [f"{folder}: wrote {len(written)} files" + (f", kept {len(kept)} that were there" if kept else "")]
    lines += [f"  {name}" for name in written]
    lines += [f"  {name} (kept)" for name in kept]
    lines += [
        "",
        "Next:",
        f"  plangate run dev -w {where}       ask every cell of the plan matrix: it passes",
        f"  plangate matrix dev -w {where}    see what is sold, as a table",
        f"  {where}/README.md                 how to see it find a leak, and how to make it yours",
    ]
    return "\n".join(lines)
