"""Suites as pytest files, cells as pytest items: a cell is asked when its item runs, and a verdict is never a skip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from plangate.errors import PlangateError
from plangate.matrix.cell import Cell
from plangate.matrix.expansion import Matrix
from plangate.pytest_plugin.asking import Wanted, Witness
from plangate.pytest_plugin.failure import FailureText, refusal_text, witness_text
from plangate.pytest_plugin.gates import Gate, said
from plangate.pytest_plugin.names import group_name, unique

__all__ = ["NotPassed", "SuiteFile", "SuiteItem", "note_selected"]


class NotPassed(Exception):  # noqa: N818 - a verdict in the only form that pytest takes one
    """The item's cells were not all observed, or not all passed."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self.witness = witness


class SuiteFile(pytest.File):
    """One suite of the environment's release."""

    gate: Gate
    items_max: int

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each cell, or for each plan and capability where there are many cells.

        Raises CollectError for documents that are wrong. A suite that the release does not pin is left out, unless it
        was named on the command line.
        """
        name = self.path.stem
        pinned = said(lambda: self.gate.suites)
        if name not in pinned:
            if self.session.isinitpath(self.path):
                raise self.CollectError(
                    f"suite {name!r} is not part of the release in {self.gate.environment}; it pins {', '.join(pinned)}"
                )
            return
        matrix = said(lambda: self.gate.prepared).matrices[name]
        for title, cells in _single(matrix) if len(matrix) <= self.items_max else _grouped(matrix):
            # pytest 9.2 reads the brackets of an id as parameters where it parses one, but not where it makes one of a
            # name: without an id that is parsed, too, `--lf` would forget what failed beyond the plainest cells.
            nodeid = f"{self.nodeid}::{title}"
            yield SuiteItem.from_parent(self, name=title, nodeid=nodeid, wanted=Wanted(suite=name, cells=tuple(cells)))


def _single(matrix: Matrix) -> Iterator[tuple[str, list[bytes]]]:
    for name, cell in unique(matrix):
        yield name, [cell.digest]


def _grouped(matrix: Iterable[Cell]) -> Iterator[tuple[str, list[bytes]]]:
    groups: dict[str, list[bytes]] = {}
    for cell in matrix:
        groups.setdefault(group_name(cell), []).append(cell.digest)
    return iter(groups.items())


class SuiteItem(pytest.Item):
    """One cell, or the cells of one plan and capability."""

    parent: SuiteFile

    def __init__(self, *, wanted: Wanted, **others: Any) -> None:
        super().__init__(**others)
        self.wanted = wanted

    def runtest(self) -> None:
        """Ask the app, or read what was seen when it was asked. Raises NotPassed, or why nothing can be observed."""
        witness = self.parent.gate.asking.witness(self.wanted, together=_together(self))
        for verdict, count in witness.counts.items():
            self.user_properties.append((verdict.value, count))
        if not witness.passed:
            raise NotPassed(witness)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What was expected, what was observed, and the command that repeats it: no traceback."""
        error = excinfo.value
        if isinstance(error, NotPassed):
            return FailureText(witness_text(error.witness, options=self._options()), path=str(self.path))
        if isinstance(error, PlangateError):
            return FailureText(refusal_text(error), path=str(self.path))
        return super().repr_failure(excinfo, style)

    def _options(self) -> str:
        workspace, here = self.parent.gate.workspace, self.config.invocation_params.dir.resolve()
        if workspace == here:
            return ""
        return f" -w {workspace.relative_to(here) if workspace.is_relative_to(here) else workspace}"

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """The suite's file and the item's name."""
        return self.path, None, self.name


_SELECTED: pytest.StashKey[dict[Gate, list[Wanted]]] = pytest.StashKey()


def note_selected(session: pytest.Session) -> None:
    """Keep what each gate will be asked in this session, after everything that deselects."""
    selected: dict[Gate, list[Wanted]] = {}
    for item in session.items:
        if isinstance(item, SuiteItem):
            selected.setdefault(item.parent.gate, []).append(item.wanted)
    session.config.stash[_SELECTED] = selected


def _together(item: SuiteItem) -> Iterable[Wanted]:
    """What to ask along with this item: all that is selected, or what this worker of pytest-xdist was handed."""
    if not hasattr(item.config, "workerinput"):
        return item.config.stash.get(_SELECTED, {}).get(item.parent.gate, [])
    ahead = [item.session.items[number] for number in _handed(item.config)]
    return [other.wanted for other in ahead if isinstance(other, SuiteItem) and other.parent.gate is item.parent.gate]


def _handed(config: pytest.Config) -> list[int]:
    # pytest-xdist has no public word for it; where it changes, a worker asks for one item at a time.
    for plugin in config.pluginmanager.get_plugins():
        queue: Any = getattr(plugin, "torun", None)
        if type(plugin).__module__.startswith("xdist") and hasattr(queue, "lock"):
            with queue.lock() as waiting:
                handed = [*waiting, getattr(plugin, "nextitem_index", None)]
            return [number for number in handed if type(number) is int]
    return []
