"""The environments that a pytest session asks about: where their workspace is, and their matrices."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from plangate.documents.suite import Suite
from plangate.documents.workspace import Workspace
from plangate.engine.session import Prepared, prepare
from plangate.errors import InputError

if TYPE_CHECKING:
    from plangate.pytest_plugin.asking import Asking
    from plangate.verdicts.result import RunSummary

__all__ = ["Gate", "Gates", "said"]

_T = TypeVar("_T")


class Gate:
    """One environment of one workspace, read when first needed."""

    def __init__(self, workspace: Path, environment: str, *, environ: Mapping[str, str]) -> None:
        self.workspace = workspace
        self.environment = environment
        self.environ = environ
        self._asking: Asking | None = None

    @cached_property
    def _opened(self) -> Workspace:
        return Workspace.open(self.workspace)

    @cached_property
    def suites(self) -> tuple[str, ...]:
        """Names of the suites that the environment's release pins. Raises InputError for documents that are wrong."""
        return tuple(self._opened.environment(self.environment).release.suites)

    @cached_property
    def prepared(self) -> Prepared:
        """The environment with its matrices. Raises InputError for documents that are wrong."""
        return prepare(self._opened, self.environment, environ=self.environ, adjust=_in_this_process)

    @property
    def asking(self) -> Asking:
        """What puts cells to the app; opened when first needed."""
        if self._asking is None:
            from plangate.pytest_plugin.asking import Asking

            self._asking = Asking(self.prepared, environ=self.environ)
        return self._asking

    @property
    def summaries(self) -> Sequence[RunSummary]:
        """What was asked of the app so far, and seen."""
        return self._asking.summaries if self._asking is not None else ()

    @property
    def app_wrote(self) -> str:
        """That the app wrote where only answers belong, and where that is kept; empty where it did not."""
        return self._asking.app_wrote if self._asking is not None else ""

    @property
    def cells(self) -> int:
        """How many cells the suites have in all."""
        return sum(len(matrix) for matrix in self.prepared.matrices.values())

    def close(self) -> None:
        """Stop the app, where it was asked. Safe to call twice."""
        if self._asking is not None:
            self._asking.close()


def _in_this_process(suite: Suite) -> Suite:
    # Passes in fresh processes are `plangate run`'s: here an item is observed in the process that reports it.
    return replace(suite, determinism=replace(suite.determinism, processes=1))


class Gates:
    """All gates of a session, and the options that say where they are."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._gates: dict[tuple[Path, str], Gate] = {}

    @cached_property
    def items_max(self) -> int:
        """Cells of one suite that become items of their own at the most."""
        asked = self._config.getoption("plangate_items_max")
        text = str(asked) if asked is not None else str(self._config.getini("plangate_items_max"))
        if not text.isdecimal():
            raise pytest.UsageError(f"plangate_items_max is a number of cells, not {text!r}")
        return int(text)

    @cached_property
    def _named(self) -> Path | None:
        option: str | None = self._config.getoption("plangate_workspace")
        if option:
            return Path(self._config.invocation_params.dir, option).resolve()
        setting = str(self._config.getini("plangate_workspace"))
        return Path(self._config.rootpath, setting).resolve() if setting else None

    def workspace_of(self, evals: Path | None = None) -> Path:
        """The workspace that was named, else the one `evals` lies in, else the rootdir."""
        if self._named is not None:
            return self._named
        return evals.parent.resolve() if evals is not None else self._config.rootpath

    def at(self, workspace: Path, environment: str) -> Gate:
        """The gate of an environment, one object however often it is asked for."""
        key = (workspace.resolve(), environment)
        if key not in self._gates:
            self._gates[key] = Gate(*key, environ=dict(os.environ))
        return self._gates[key]

    def asked(self) -> Iterator[Gate]:
        """Each gate whose app was asked."""
        return (gate for gate in self._gates.values() if gate.summaries)

    def close(self) -> None:
        """Close every gate."""
        for gate in self._gates.values():
            gate.close()


def said(answer: Callable[[], _T]) -> _T:
    """`answer()`, with an InputError turned into what pytest shows as one message without a traceback."""
    try:
        return answer()
    except InputError as error:
        raise pytest.Collector.CollectError(str(error)) from None
