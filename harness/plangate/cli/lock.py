"""`plangate lock`: prompts, plan catalogs and suites that may not change any more, by digest."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from plangate.cli.options import json_option, load_workspace, workspace_option
from plangate.cli.output import print_document
from plangate.errors import ExitCode, InputError, Problem

__all__ = ["command"]

_EPILOG = """\b
Examples:
  plangate lock                      add what is new; commit plangate.lock with it
  plangate lock --check              only say whether something is not locked, changed or gone (for CI)
"""


@click.command("lock", epilog=_EPILOG)
@workspace_option
@json_option
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 2 where the lock is not complete.")
def command(workspace: Path, *, as_json: bool, only_check: bool) -> int:
    """Lock the workspace's prompts, plan catalogs and suites: from then on a change needs a new version.

    A digest that is locked is never replaced. Exit status: 0 all is locked, 2 something changed or has errors.
    """
    from plangate.releases.lock import compare, extended, in_conflict, lock_text, merged, read_lock
    from plangate.releases.release import lockable

    opened = load_workspace(workspace)
    before = opened.lock_bytes()
    lock = read_lock(before) if only_check else merged(before)
    found = lockable(opened)
    new = sorted(set(found) - set(lock.files))
    if only_check:
        return _report(compare(lock, found, pinned=found), new=new, as_json=as_json, done="All is locked.")
    errors = [problem for problem in opened.check() if problem.severity == "error"]
    errors += [problem for problem in compare(lock, found, pinned=()) if problem.severity == "error"]
    if errors:
        raise InputError.of(errors)
    conflict = before is not None and in_conflict(before)
    if new or conflict:
        _write(opened.root / "plangate.lock", lock_text(extended(lock, found)))
    done = f"{len(new)} newly locked." if new else "Nothing new to lock."
    if conflict:
        done = f"What both sides of the merge locked is kept. {done}"
    return _report([], new=new, as_json=as_json, done=done)


def _report(problems: list[Problem], *, new: list[str], as_json: bool, done: str) -> int:
    if as_json:
        entries = [{"code": one.code, "path": one.path, "message": one.message, "hint": one.hint} for one in problems]
        print_document({"ok": not problems, "new": new, "problems": entries})
    else:
        for problem in problems:
            click.echo(str(problem))
        if not problems:
            for key in new:
                click.echo(f"locked {key}")
            click.echo(done)
    return ExitCode.INPUT if problems else ExitCode.PASSED


def _write(file: Path, text: str) -> None:
    """Replace `file` in one step: a crash leaves the old lock or the new one, never half of one."""
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".plangate.lock-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or type(error).__name__}",
            code="unwritable-file",
            where=file.name,
            hint="check the folder's permissions and the space left",
        ) from None
