"""What `plangate reproduce` does between its options and its exit status."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from plangate.cli.clock import signing_time
from plangate.cli.keys import load_key
from plangate.cli.output import print_document
from plangate.cli.promoting import observe_cells
from plangate.cli.world import real_world
from plangate.documents.kinds import Kind
from plangate.documents.loader import BYTES_MAX, load
from plangate.documents.suite import Suite
from plangate.documents.text import read_file
from plangate.documents.workspace import Workspace
from plangate.engine.session import Prepared, prepare
from plangate.errors import EvidenceError, ExitCode, InputError
from plangate.evidence.bundle.adoption import missing_bindings
from plangate.evidence.bundle.layout import BundleFile
from plangate.evidence.bundle.results import CellLine, read_results
from plangate.evidence.bundle.unpacking import environment_name, run_document, unpack_documents, with_bindings
from plangate.evidence.envelope import seal
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import Statement
from plangate.promotion.evidence_of_runs import harness_digest, results_of_run
from plangate.store.reader import StoredRun
from plangate.verdicts.fingerprint import Decided, digests
from plangate.verdicts.result import CellResult, RunVerdict

__all__ = ["DIFFERENCES_MAX", "ReproduceOptions", "bindings_in", "reproduce"]

DIFFERENCES_MAX = 1_000
_SHOWN = 20
_KINDS = {
    "allowed_here": "allowed here and denied at the publisher's",
    "denied_here": "denied here and allowed at the publisher's",
    "otherwise": "decided for another reason, or not by both",
    "limits": "decided alike, with other words of a limit",
}
_RESULTS_MAX = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproduceOptions:
    """Options of `plangate reproduce`, as one value."""

    bindings: Path
    home: Path | None = None
    tier: str | None = None
    key: Path | None = None
    person: str | None = None
    passphrase_env: str | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """The publisher's results beside those from here."""

    publisher: str
    """Fingerprint."""
    here: str
    kinds: Mapping[str, int]
    """How they differ -> cells: allowed_here, denied_here, otherwise, limits."""
    differences: Sequence[Mapping[str, Any]]
    not_told: Mapping[str, int]
    """Side that tells nothing of a limit (here, publisher) -> cells, decided alike, of which the other does."""
    undecided: bool
    ran: str
    """What is known of what ran here (rule R14)."""
    ran_differences: Sequence[str]
    unnamed: Sequence[str]
    """Bindings that the publisher's environment has and the customer's have not."""

    @property
    def differing(self) -> int:
        return sum(self.kinds.values())

    @property
    def reproduced(self) -> bool:
        return not self.undecided and not self.differing and self.publisher == self.here


def reproduce(file: Path, *, options: ReproduceOptions) -> ExitCode:
    """Run, compare, print, sign; returns the exit status. Raises InputError, DriverError, EvidenceError."""
    if (options.key is None) != (options.person is None):
        raise InputError("--key and --as belong together", code="no-signer", hint="give both, or none")
    # A key that does not open is told before minutes are spent.
    key = load_key(options.key, passphrase_env=options.passphrase_env) if options.key else None
    home = (options.home or options.bindings.parent).resolve()
    ledger = Ledger(home / "evidence")
    if key is not None:
        signing_time(real_world().now(), last_at=ledger.last_at())
    with BundleFile(file) as bundle, TemporaryDirectory(prefix="plangate-") as scratch:
        prepared, unnamed = _prepared(bundle, Path(scratch), home=home, options=options)
        path = observe_cells(prepared, world=real_world())
        with StoredRun(path) as run:
            compared = _compare(bundle, run, unnamed)
            statements = _statements(prepared, run, compared, person=options.person or "") if key else []
    if key is not None:
        at = signing_time(real_world().now(), last_at=ledger.last_at())
        signed = [ledger.append(seal(one, key=key), key=key, at=at).digest for one in statements]
        click.echo(f"signed as {options.person}: {len(signed)} statements in {home / 'evidence'}", err=True)
    _print(compared, as_json=options.as_json)
    if compared.undecided:
        return ExitCode.UNDECIDED
    return ExitCode.PASSED if compared.reproduced else ExitCode.FAILED


def _prepared(
    bundle: BundleFile, folder: Path, *, home: Path, options: ReproduceOptions
) -> tuple[Prepared, tuple[str, ...]]:
    """The bundle's documents with the customer's bindings, ready to run."""
    environment, run = environment_name(bundle), run_document(bundle)
    unpack_documents(bundle, folder)
    theirs = Workspace.open(folder).environment(environment)
    mine, _ = bindings_in(options.bindings)
    unnamed = missing_bindings(theirs.raw["bindings"], mine)
    with_bindings(folder, theirs, bindings=mine, tier=options.tier)
    try:
        prepared = prepare(
            Workspace.open(folder), environment, environ=real_world().environ, suites=tuple(run["suites"]),
            adjust=_as_published(run["suites"]),
        )  # fmt: skip
    except InputError as error:
        if unnamed:
            click.echo(f"the publisher's bindings also have: {', '.join(unnamed)}", err=True)
        raise error
    if prepared.identity.release != run["release"]:
        raise EvidenceError(
            "the documents of the bundle are not the release its results are about",
            code="release-differs",
            hint="`plangate verify FILE --trust FILE` says more",
        )
    return replace(prepared, home=home), unnamed


def bindings_in(file: Path) -> tuple[dict[str, Any], str]:
    """The mapping in a bindings file, and its text; it may stand under a `bindings:` of its own. Raises InputError."""
    data = read_file(file, path=str(file), bytes_max=BYTES_MAX)
    loaded = load(data, path=str(file))
    if loaded.problems:
        raise InputError.of(loaded.problems)
    raw, text = loaded.value, data.decode("utf-8-sig")
    if not isinstance(raw, dict) or not raw:
        raise InputError("holds no bindings", code="wrong-type", where=str(file), hint="targets: {...}")
    inner = raw.get("bindings")
    if set(raw) == {"bindings"} and isinstance(inner, dict):
        return inner, json.dumps(inner, indent=2, ensure_ascii=False, default=dict)
    return raw, text


def _as_published(suites: Mapping[str, Any]) -> Any:
    def adjust(suite: Suite) -> Suite:
        return replace(suite, seed=suites[suite.name]["seed"])

    return adjust


def _compare(bundle: BundleFile, run: StoredRun, unnamed: tuple[str, ...]) -> _Compared:
    summary = run.summary()
    packed = bundle.read("results.jsonl.gz", bytes_max=_RESULTS_MAX)
    publisher = digests(one.decided for one in read_results(packed)).fingerprint
    walk = _Walk(read_results(packed), run)
    found = walk.differences()
    listed = list(islice(found, DIFFERENCES_MAX))
    kinds = Counter(one["kind"] for one in chain(listed, found))
    return _Compared(
        publisher=publisher,
        here=summary.fingerprint,
        kinds=dict(sorted(kinds.items())),
        differences=listed,
        not_told=dict(sorted(walk.not_told.items())),
        undecided=summary.verdict is RunVerdict.UNDECIDED,
        ran=summary.header.ran,
        ran_differences=summary.header.ran_differences,
        unnamed=unnamed,
    )


class _Walk:
    """Both sides, cell by cell: they come sorted, so that memory stays flat."""

    def __init__(self, publisher: Iterator[CellLine], run: StoredRun) -> None:
        self._publisher, self._run = publisher, run
        self.not_told: Counter[str] = Counter()
        """Side that tells nothing of a limit (here, publisher) -> cells walked so far of which the other does."""

    def differences(self) -> Iterator[Mapping[str, Any]]:
        """Cells that differ, by cell."""
        publisher, ours = self._publisher, self._run.decisions()
        line, mine = next(publisher, None), next(ours, None)
        while line is not None or mine is not None:
            if line is not None and (mine is None or line.digest < mine.cell):
                yield _difference(line, publisher=line.decision, here=None)
                line = next(publisher, None)
            elif mine is not None and (line is None or mine.cell < line.digest):
                yield _difference(self._run.cell("c-" + mine.cell.hex()), publisher=None, here=mine.decision)
                mine = next(ours, None)
            elif line is not None and mine is not None:
                yield from self._compared(line, mine)
                line, mine = next(publisher, None), next(ours, None)

    def _compared(self, line: CellLine, mine: Decided) -> Iterator[Mapping[str, Any]]:
        """Whether both decide alike; and where both tell of a limit, whether they tell the same."""
        if line.decision != mine.decision:
            yield _difference(line, publisher=line.decision, here=mine.decision)
        elif line.limits and mine.limits:
            if line.limits != mine.limits:
                told = _difference(
                    line, publisher=f"{line.decision} {line.limits}", here=f"{mine.decision} {mine.limits}"
                )
                yield {**told, "kind": "limits"}
        elif line.limits or mine.limits:
            self.not_told["here" if line.limits else "publisher"] += 1


def _difference(cell: CellLine | CellResult, *, publisher: str | None, here: str | None) -> Mapping[str, Any]:
    there_allowed, here_allowed = ('"allow"' in (said or "") for said in (publisher, here))
    kind = "otherwise" if there_allowed == here_allowed else "allowed_here" if here_allowed else "denied_here"
    return {
        "cell": cell.cell, "suite": cell.suite, "axes": dict(cell.axes), "kind": kind,
        "publisher": publisher, "here": here,
    }  # fmt: skip


def _statements(prepared: Prepared, run: StoredRun, compared: _Compared, *, person: str) -> list[Statement]:
    """The customer's own test results, which say that they repeat the publisher's."""
    workspace, release = prepared.workspace, prepared.environment.release

    catalogs = {
        name: workspace.document(Kind.PLAN_CATALOG, name, version).digest for name, version in release.plans.items()
    }
    more: dict[str, Any] = {
        "reproduces": {
            "fingerprint": compared.publisher,
            "reproduced": compared.reproduced,
            "by": person,
            "limitsNotCompared": sum(compared.not_told.values()),
        }
    }
    made = results_of_run(run, catalogs=catalogs, harness=harness_digest())
    return [replace(one, predicate={**one.predicate, **more}) for one in made]


def _print(compared: _Compared, *, as_json: bool) -> None:
    if as_json:
        document = {
            "reproduced": compared.reproduced,
            "publisher_fingerprint": compared.publisher,
            "fingerprint": compared.here,
            "differing": compared.differing,
            "kinds": dict(compared.kinds),
            "limits_not_told": dict(compared.not_told),
            "ran": compared.ran,
            "ran_differences": list(compared.ran_differences),
            "differences": list(compared.differences),
            "new_bindings": list(compared.unnamed),
        }
        print_document(document)
        return
    for name in compared.unnamed:
        click.echo(f"note: the publisher's bindings have {name}, and yours have not")
    leaks_first = sorted(compared.differences, key=lambda one: list(_KINDS).index(one["kind"]))
    for one in leaks_first[:_SHOWN]:
        axes = ", ".join(f"{axis} {value}" for axis, value in one["axes"].items())
        click.echo(f"{one['cell']}  {axes}")
        click.echo(f"    publisher {one['publisher'] or 'has no such cell'}, here {one['here'] or 'not observed'}")
    if compared.differing > _SHOWN:
        click.echo(f"... and {compared.differing - _SHOWN:,} more; --json names {DIFFERENCES_MAX:,}")
    for kind, words in _KINDS.items():
        if count := compared.kinds.get(kind):
            click.echo(f"{count:,} {'cell is' if count == 1 else 'cells are'} {words}")
    click.echo(f"publisher's fingerprint {compared.publisher}\nyours                   {compared.here}")
    for side, count in compared.not_told.items():
        cells = "1 cell" if count == 1 else f"{count:,} cells"
        nothing = "your app tells nothing of them" if side == "here" else "the publisher's app tells nothing of them"
        click.echo(f"limits were not compared for {cells}: {nothing}")
    for difference in compared.ran_differences:
        click.echo(f"what ran differs: {difference}")
    if compared.undecided:
        why = "something else ran than is declared" if compared.ran_differences else "something could not be observed"
        click.echo(f"NOT JUDGED: {why}")
    else:
        click.echo("REPRODUCED" if compared.reproduced else f"NOT REPRODUCED: {compared.differing:,} cells differ")
