"""What `plangate drift` does between its options and its exit status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from plangate.cli.observing import until_done
from plangate.cli.output import print_document
from plangate.cli.placing import placed_at
from plangate.cli.promoting import ledger_time, observe_cells
from plangate.cli.settling import finish_interrupted
from plangate.cli.signing import Signer, signer_of
from plangate.cli.world import real_world
from plangate.documents.environment import Environment, Json, Probe
from plangate.documents.suite import Suite
from plangate.documents.workspace import Workspace
from plangate.drivers.probe import probe_app
from plangate.engine.invocation import World, driver_context
from plangate.engine.plan import Selection
from plangate.engine.session import Prepared, prepare
from plangate.errors import ExitCode, InputError
from plangate.evidence.envelope import seal
from plangate.matrix.canary import canary_cells
from plangate.promotion.acts import drift_of
from plangate.promotion.drift import Baseline, DriftReport, compare_model
from plangate.promotion.record import Record
from plangate.releases.canonical import digest
from plangate.releases.release import identified
from plangate.releases.running import Told, compare_pins
from plangate.store.reader import StoredRun
from plangate.verdicts.result import RunVerdict

__all__ = ["DriftOptions", "look"]

_EXIT_CODES = {"none": ExitCode.PASSED, "drifted": ExitCode.FAILED, "undecided": ExitCode.UNDECIDED}
_CANARY = {RunVerdict.PASSED: "passed", RunVerdict.FAILED: "failed", RunVerdict.UNDECIDED: "undecided"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftOptions:
    """Options of `plangate drift`, as one value."""

    skip_canary: bool
    accept: bool
    reason: str
    key: Path | None
    person: str | None
    passphrase_env: str | None
    as_json: bool


def look(workspace: Workspace, name: str, *, options: DriftOptions) -> ExitCode:
    """Probe, compare, observe the canary, record where asked, print; returns the exit status.

    Raises InputError, DriverError where the app cannot be asked, EvidenceError.
    """
    world = real_world()
    signer = _signer(options)
    finish_interrupted(workspace)
    manifest = workspace.environment(name)
    probe = _probe(manifest)
    suite = probe.canary_suite or next((gate.suite for gate in manifest.gates), next(iter(manifest.release.suites)))
    prepared = prepare(workspace, name, environ=world.environ, suites=(suite,), adjust=_once)
    record = Record.read(workspace) if signer is not None else Record.read_or_none(workspace)
    release = identified(workspace, manifest)
    basis = _basis(manifest, release)
    if signer is not None and record is not None:
        rehearsal = _statement(_nothing(), prepared, basis=basis, told=Told(), signer=signer, recorded=False, at="")
        record.require(seal(rehearsal, key=signer.key), person=signer.person, at=ledger_time(record, world))
    told = until_done(probe_app(probe, prepared.environment.bindings, driver_context(prepared, world=world, run=name)))
    baseline = record.state.baselines.get((name, basis)) if record is not None else None
    report = _report(manifest, probe, release, told, baseline=None if options.accept else baseline)
    if options.skip_canary:
        skipped = f"that its decisions are as sold: no cell of suite {suite} was observed"
        report = replace(report, not_checked=(*report.not_checked, skipped))
    else:
        # What runs was asked just now: the canary is about decisions alone.
        silent = replace(world, ask_probe=None)
        report = _observed(report, prepared, suite=suite, cells=probe.canary_cells, world=silent)
    if signer is not None:
        record = Record.read(workspace)
        recorded = report.verdict == "none" and (options.accept or baseline is None)
        at = ledger_time(record, world)
        statement = _statement(
            report, prepared, basis=basis, told=told, signer=signer, recorded=recorded, at=at, reason=options.reason
        )
        record.add([statement], key=signer.key, person=signer.person, at=at)
    _print(report, prepared, as_json=options.as_json)
    return _EXIT_CODES[report.verdict]


def _signer(options: DriftOptions) -> Signer | None:
    if options.accept and not (options.key and options.reason):
        raise InputError(
            "--accept goes on record, and needs a key and a reason", code="no-signer", hint="--key FILE --as PERSON"
        )
    if options.key is None and options.person is None:
        return None
    return signer_of(options.key, person=options.person, passphrase_env=options.passphrase_env)


def _probe(manifest: Environment) -> Probe:
    if manifest.bindings.probe is None:
        raise InputError(
            f"{manifest.name} does not say where the running app tells what it runs",
            code="no-probe",
            where=str(manifest.positions.of_key("bindings")),
            hint="add bindings.probe: {target: default, path: /version}",
        )
    return manifest.bindings.probe


def _once(suite: Suite) -> Suite:
    """A canary asks each cell once: what wavers is the gates' business."""
    once = replace(suite.determinism, repeats=1, processes=1)
    return replace(suite, determinism=once)


def _basis(manifest: Environment, release: Mapping[str, Any]) -> str:
    """What a record of the model rests on: with another pin, prompt or question it says nothing."""
    bindings: Any = manifest.raw["bindings"]
    return digest({
        "model": release["model"], "prompts": release["prompts"], "questions": bindings["probe"].get("questions", [])
    })  # fmt: skip


def _report(
    manifest: Environment, probe: Probe, release: Mapping[str, Any], told: Told, *, baseline: Baseline | None
) -> DriftReport:
    differences, untold = compare_pins(manifest, release, told.parts, untold=probe.untold)
    model, unseen = compare_model(baseline, fingerprint=told.fingerprint, answers=told.answers)
    excused = [f"{pin}: the manifest says that the app cannot tell" for pin in probe.untold]
    return DriftReport(
        differences=tuple(differences),
        untold=tuple(untold),
        model=tuple(model),
        canary="skipped",
        canary_text="",
        run="",
        not_checked=(*excused, *unseen),
    )


def _nothing() -> DriftReport:
    return DriftReport(differences=(), untold=(), model=(), canary="skipped", canary_text="", run="", not_checked=())


def _observed(report: DriftReport, prepared: Prepared, *, suite: str, cells: int, world: World) -> DriftReport:
    chosen = Selection(cells=canary_cells(prepared.matrices[suite], count=cells))
    with StoredRun(observe_cells(prepared, world=world, selection=chosen)) as run:
        summary, header = run.summary(), run.header
    right = summary.totals.passed
    return replace(
        report,
        canary=_CANARY[summary.verdict],
        canary_text=f"{right:,} of {summary.totals.expected:,} canary cells of suite {suite} decide as sold",
        run=header.run,
    )


def _statement(
    report: DriftReport, prepared: Prepared, *, basis: str, told: Told, signer: Signer, recorded: bool, at: str,
    reason: str = "",
) -> Any:  # fmt: skip
    model: dict[str, Json] = {"basis": basis, "fingerprint": told.fingerprint, "answers": list(told.answers)}
    return drift_of(
        report,
        prepared.identity,
        environment=prepared.environment.name,
        model=model,
        recorded=recorded,
        person=signer.person,
        reason=reason,
        at=at,
    )


def _print(report: DriftReport, prepared: Prepared, *, as_json: bool) -> None:
    environment = prepared.environment
    if as_json:
        document = {
            "environment": environment.name,
            "revision": environment.revision,
            "release": prepared.identity.release,
            "verdict": report.verdict,
            **{name: value for name, value in asdict(report).items() if name != "canary_text"},
        }
        print_document(document)
        return
    click.echo("\n".join(_lines(report, prepared)))


def _lines(report: DriftReport, prepared: Prepared) -> Iterator[str]:
    environment = prepared.environment
    yield f"{environment.name} at revision {environment.revision}, release {prepared.identity.release[7:19]}"
    if not report.differences and not report.untold:
        yield "  ok       every pin that can be told is what runs"
    for one in report.differences:
        pinned, told = _short(one.pinned) or "nowhere", _short(one.told) or "nothing"
        yield f"  DIFFERS  {one.pin}  pinned {pinned}, runs {told}  ({one.where})"
    yield from (f"  DIFFERS  {text}" for text in report.model)
    for one in report.untold:
        yield f"  UNTOLD   {one.pin}  pinned {one.pinned}, and the app says nothing of it  ({one.where})"
    if report.canary_text:
        mark = {"passed": "ok     ", "failed": "DIFFERS"}.get(report.canary, "UNSEEN ")
        yield f"  {mark}  {report.canary_text}  (plangate show {report.run}{placed_at(prepared.folder)})"
    yield from (f"NOT CHECKED  {text}" for text in report.not_checked)
    count = len(report.texts)
    yield {
        "none": "NO DRIFT",
        "drifted": f"DRIFTED: {count} {'thing differs' if count == 1 else 'things differ'}",
        "undecided": "NOT JUDGED: something could not be seen",
    }[report.verdict]


def _short(text: str) -> str:
    return text[:19] if text.startswith("sha256:") else text
