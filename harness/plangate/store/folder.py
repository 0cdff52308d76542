"""The runs of a workspace: `.plangate/runs/`, one file each."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from plangate.errors import InputError, StoreError
from plangate.store.reader import StoredRun

__all__ = ["RunFolder"]


class RunFolder:
    """Finds runs; knows nothing of what is in them beyond their header."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / ".plangate" / "runs"

    def path_of(self, run: str) -> Path:
        """Where the run of this id lies, or will lie."""
        return self.path / f"{run}.sqlite"

    def names(self) -> tuple[str, ...]:
        """Ids of all runs, newest first (an id begins with its time)."""
        return tuple(sorted((path.stem for path in self.path.glob("*.sqlite")), reverse=True))

    def find(self, run: str) -> Path:
        """The file of a run given by its id, the beginning of its id, `latest`, or a path to a run file.

        Raises InputError where no run or more than one fits.
        """
        direct = Path(run)
        if run.endswith(".sqlite") and direct.is_file():
            return direct
        names = self.names()
        if run == "latest" and names:
            return self.path_of(names[0])
        found = [name for name in names if name == run] or [name for name in names if name.startswith(run)]
        if len(found) == 1:
            return self.path_of(found[0])
        near = get_close_matches(run, names, n=1)
        hint = f"did you mean {near[0]}?" if near else "`plangate runs` lists them"
        what = f"{len(found)} runs begin with {run!r}" if found else f"there is no run {run!r}"
        raise InputError(what, code="no-such-run", where=str(self.path.name), hint=hint)

    def stored(self) -> Iterator[StoredRun]:
        """Each readable run, newest first; a file that is damaged or of another version is passed over."""
        for _, run in self.opened():
            if isinstance(run, StoredRun):
                yield run

    def opened(self) -> Iterator[tuple[str, StoredRun | StoreError]]:
        """The id of each run, newest first, and the run, or why it cannot be read."""
        for name in self.names():
            try:
                run = StoredRun(self.path_of(name))
            except StoreError as error:
                yield name, error
                continue
            with run:
                yield name, run

    def unfinished(self, environment: str) -> Path | None:
        """The newest run of an environment that has not finished."""
        for run in self.stored():
            if run.header.environment == environment and not run.header.finished:
                return run.path
        return None
