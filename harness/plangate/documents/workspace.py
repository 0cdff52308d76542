"""Workspace: the one reader of a folder's documents. Everything past it is frozen values."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from plangate.documents.catalog import PlanCatalog
from plangate.documents.document import Document, read_document
from plangate.documents.environment import Environment
from plangate.documents.files import TRUST_PATH, document_path, list_documents, list_kept_suites, read_inside
from plangate.documents.kinds import Kind
from plangate.documents.phrasings import BYTES_MAX as PHRASINGS_BYTES_MAX
from plangate.documents.phrasings import read_phrasings
from plangate.documents.prompt import Prompt
from plangate.documents.suite import Suite
from plangate.documents.trust import Trust
from plangate.documents.wording import did_you_mean, listed, shown
from plangate.errors import InputError, Problem

__all__ = ["LOCK_PATH", "Workspace"]

LOCK_PATH = "plangate.lock"
_LOCK_BYTES_MAX = 16 * 1024 * 1024
_UNKNOWN = {
    Kind.ENVIRONMENT: "unknown-environment",
    Kind.PLAN_CATALOG: "unknown-plan-catalog",
    Kind.PROMPT: "unknown-prompt",
    Kind.SUITE: "unknown-suite",
}


class Workspace:
    """A folder with `envs/`, `prompts/` and `evals/`.

    A document is read when first asked for, then kept: a workspace shows the files as they were when it read them.
    Asking for a document that has errors raises InputError with all of them; `check` collects them instead.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        """The folder, as it was given."""
        self._documents: dict[str, Document] = {}
        self._suites: dict[str, Suite] = {}

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """The workspace at `root`. Raises InputError (`not-a-workspace`) where there is no `envs/` folder."""
        try:
            found = (root / "envs").is_dir()
        except (OSError, ValueError):
            found = False
        if not found:
            raise InputError(
                f"{shown(str(root))} is not a workspace: it has no envs/ folder",
                code="not-a-workspace",
                hint="`plangate init DIR` makes one; -w DIR names another",
            )
        return cls(root)

    def environment_names(self) -> tuple[str, ...]:
        """Names of all environments, sorted."""
        return tuple(name for (name,) in list_documents(self.root, Kind.ENVIRONMENT))

    def environment(self, name: str) -> Environment:
        """One environment. Raises InputError where there is none of that name or it has errors."""
        self._known(Kind.ENVIRONMENT, "environment", (name,))
        model: Environment = self.document(Kind.ENVIRONMENT, name).sound()
        return model

    def catalog_versions(self) -> tuple[tuple[str, str], ...]:
        """(name, version) of all plan catalogs, versions in the order in which people count."""
        return tuple((name, version) for name, version in list_documents(self.root, Kind.PLAN_CATALOG))

    def catalog(self, name: str, version: str) -> PlanCatalog:
        """One version of a plan catalog. Raises InputError where there is none such or it has errors."""
        self._known(Kind.PLAN_CATALOG, "plan catalog", (name, version))
        model: PlanCatalog = self.document(Kind.PLAN_CATALOG, name, version).sound()
        return model

    def suite_names(self) -> tuple[str, ...]:
        """Names of all suites, sorted."""
        return tuple(name for (name,) in list_documents(self.root, Kind.SUITE))

    def suite(self, name: str, version: int | None = None) -> Suite:
        """One suite, with the lines of its phrasing file: the current version, or `version` where that is kept.

        Where `version` is nowhere, it is the current one: whoever asks for one compares. Raises InputError where there
        is none of that name, or the suite or its phrasing file has errors.
        """
        if version is not None and (name, str(version)) in list_kept_suites(self.root):
            current = self._current_version(name) if name in self.suite_names() else None
            if current != version:
                return self._suite(name, str(version))
        self._known(Kind.SUITE, "suite", (name,))
        return self._suite(name)

    def kept_suites(self) -> tuple[tuple[str, str], ...]:
        """(name, version) of suites that lie beside their current version."""
        return tuple(list_kept_suites(self.root))

    def suite_files(self, name: str, version: int) -> Iterator[tuple[str, bytes]]:
        """A suite and its phrasing file, each at the place it has where this version is the current one."""
        suite = self.suite(name, version)
        yield document_path(Kind.SUITE, name), read_inside(self.root, suite.positions.path)
        path = self._phrasing_path(suite)
        if path is not None:
            spec = suite.axis("phrasing")
            place = _beside_suites(str(spec.file) if spec else "")
            yield place, read_inside(self.root, path, bytes_max=PHRASINGS_BYTES_MAX)

    def _current_version(self, name: str) -> int | None:
        model = self.document(Kind.SUITE, name).model
        return None if model is None else model.version

    def _suite(self, *names: str) -> Suite:
        path = document_path(Kind.SUITE, *names)
        if path not in self._suites:
            suite: Suite = self.document(Kind.SUITE, *names).sound()
            self._suites[path] = replace(suite, phrasings=self._phrasings(suite))
        return self._suites[path]

    def prompt_versions(self) -> tuple[tuple[str, str], ...]:
        """(name, version) of all prompts, versions in the order in which people count."""
        return tuple((name, version) for name, version in list_documents(self.root, Kind.PROMPT))

    def prompt(self, name: str, version: str) -> Prompt:
        """One version of a prompt. Raises InputError where there is none such or it has errors."""
        self._known(Kind.PROMPT, "prompt", (name, version))
        model: Prompt = self.document(Kind.PROMPT, name, version).sound()
        return model

    def trust(self) -> Trust:
        """The trust policy. Raises InputError where there is none or it has errors."""
        if not (self.root / TRUST_PATH).exists():
            raise InputError(
                "there is no trust policy",
                code="no-trust",
                where=TRUST_PATH,
                hint="`plangate schema trust` shows what it holds",
            )
        model: Trust = self.document(Kind.TRUST).sound()
        return model

    def document(self, kind: Kind, *names: str) -> Document:
        """A file as read, sound or not. Raises InputError only where it cannot be read at all."""
        path = TRUST_PATH if kind is Kind.TRUST else document_path(kind, *names)
        if path not in self._documents:
            self._documents[path] = read_document(kind, read_inside(self.root, path), path=path)
        return self._documents[path]

    def lock_bytes(self) -> bytes | None:
        """The bytes of `plangate.lock`; None where nothing was locked yet."""
        if not (self.root / LOCK_PATH).exists():
            return None
        return read_inside(self.root, LOCK_PATH, bytes_max=_LOCK_BYTES_MAX)

    def check(self) -> list[Problem]:
        """Everything that is wrong with the workspace, sorted by place: each document, how they fit, the lock."""
        from plangate.documents.crosscheck import workspace_problems

        return workspace_problems(self)

    def _known(self, kind: Kind, what: str, names: tuple[str, ...]) -> None:
        known = list(list_documents(self.root, kind))
        if names in known:
            return
        label = " ".join(names)
        texts = [" ".join(entry) for entry in known]
        hint = did_you_mean(label, texts) or (f"there are: {listed(texts)}" if texts else f"put one at {kind.folder}")
        raise InputError(f"there is no {what} {shown(label)}", code=_UNKNOWN[kind], hint=hint)

    def _phrasings(self, suite: Suite) -> tuple[str, ...]:
        path = self._phrasing_path(suite)
        if path is None:
            return ()
        return read_phrasings(read_inside(self.root, path, bytes_max=PHRASINGS_BYTES_MAX), path=path)

    def _phrasing_path(self, suite: Suite) -> str | None:
        """Relative to `evals/`; of a kept version, in its own folder `evals/NAME/VERSION/` first."""
        spec = suite.axis("phrasing")
        if spec is None or spec.file is None:
            return None
        path = _beside_suites(spec.file)
        if path.startswith(("../", "/")) or path == ".." or "\0" in path:
            raise self._no_phrasings(suite, "path-escapes", f"{shown(spec.file)} leads out of the workspace", "")
        own = f"{suite.positions.path.removesuffix('.yaml')}/{path.removeprefix('evals/')}"
        if suite.positions.path.count("/") > 1 and (self.root / own).exists():
            return own
        if not (self.root / path).exists():
            hint = "the path is relative to evals/"
            raise self._no_phrasings(suite, "no-phrasing-file", f"there is no file {shown(path)}", hint)
        return path

    @staticmethod
    def _no_phrasings(suite: Suite, code: str, message: str, hint: str) -> InputError:
        place = suite.positions.of("matrix", "axes", "phrasing", "file")
        return InputError.of(
            [Problem(path=place.path, line=place.line, column=place.column, code=code, message=message, hint=hint)]
        )


def _beside_suites(file: str) -> str:
    return posixpath.normpath(posixpath.join("evals", file.replace("\\", "/")))
