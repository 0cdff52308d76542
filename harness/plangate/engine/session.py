"""From a workspace and the name of an environment to what can be run: suites with their cells, and open targets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from plangate.documents.catalog import SUBSCRIBED
from plangate.documents.environment import Environment, Target
from plangate.documents.requirements import shown_by
from plangate.documents.suite import Suite
from plangate.drivers.protocol import Driver, DriverContext
from plangate.drivers.target_check import target_problems
from plangate.engine.execution import OpenTargets
from plangate.engine.plan import SuitePlan, passes_of
from plangate.entitlements.decision import Decision
from plangate.entitlements.oracle import Oracle
from plangate.errors import DriverError, InputError
from plangate.matrix.cell import Cell
from plangate.matrix.expansion import Matrix, expand
from plangate.matrix.request_shape import evaluation_request
from plangate.releases.placeholders import with_release
from plangate.releases.release import ReleaseIdentity, identify
from plangate.verdicts.result import Expected

if TYPE_CHECKING:
    from plangate.documents.workspace import Workspace

__all__ = ["MakeDriver", "Prepared", "check_targets", "log_path", "open_targets", "prepare"]

MakeDriver = Callable[[Target, DriverContext], Driver]
_SURFACES = ("interaction", "orchestration", "tool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An environment, ready to be run."""

    workspace: Workspace
    environment: Environment
    identity: ReleaseIdentity
    suites: tuple[SuitePlan, ...]
    oracles: Mapping[str, Oracle]
    """Suite name -> the oracle that judges it."""
    matrices: Mapping[str, Matrix]
    """Suite name -> its matrix."""
    home: Path | None = None
    """Where relative paths of the bindings start and runs are kept, where that is not the workspace itself."""

    @property
    def folder(self) -> Path:
        """Where relative paths of the bindings start, and where runs are kept."""
        return self.home or self.workspace.root

    @property
    def concurrency(self) -> int:
        """The most cells that any pass has in flight."""
        return max((one.concurrency for suite in self.suites for one in suite.passes), default=1)

    def suite(self, name: str) -> SuitePlan:
        """The plan of one suite. Raises KeyError for a name that `prepare` was not given."""
        return next(suite for suite in self.suites if suite.suite.name == name)


def prepare(
    workspace: Workspace,
    environment: str,
    *,
    environ: Mapping[str, str],
    suites: Collection[str] | None = None,
    adjust: Callable[[Suite], Suite] = lambda suite: suite,
) -> Prepared:
    """Read an environment and expand the matrix of its release's suites (or of those named).

    `adjust` may change a suite's seed or repeats before anything is computed from it.
    Raises InputError for documents that are wrong, suites the release does not pin, and an empty matrix.
    """
    manifest = with_release(workspace.environment(environment))
    identity = identify(workspace, manifest)
    names = _suite_names(manifest, suites)
    plans: list[SuitePlan] = []
    oracles: dict[str, Oracle] = {}
    matrices: dict[str, Matrix] = {}
    for name in names:
        suite = adjust(workspace.suite(name, manifest.release.suites[name]))
        oracle = _oracle(workspace, manifest, suite)
        matrix = expand(suite, oracle, surfaces=_surfaces(manifest))
        _require_targets(manifest, suite, matrix)
        key = _cache_key(manifest, identity, suite, environ)
        covers = shown_by(suite, targets=manifest.bindings.targets)
        plans.append(_suite_plan(suite, oracle, matrix, identity=identity, cache_key=key, covers=covers))
        oracles[name], matrices[name] = oracle, matrix
    return Prepared(
        workspace=workspace,
        environment=manifest,
        identity=identity,
        suites=tuple(plans),
        oracles=oracles,
        matrices=matrices,
    )


def _suite_names(manifest: Environment, asked: Collection[str] | None) -> tuple[str, ...]:
    pinned = tuple(manifest.release.suites)
    for name in asked or ():
        if name not in pinned:
            raise InputError(
                f"suite {name!r} is not part of this release",
                code="suite-not-in-release",
                where=str(manifest.positions.of("release", "suites")),
                hint=f"it pins {', '.join(pinned)}",
            )
    chosen = tuple(name for name in pinned if not asked or name in asked)
    if not chosen:
        raise InputError(
            "the release pins no suite, so nothing would be judged",
            code="nothing-selected",
            where=str(manifest.positions.of("release")),
            hint="add one under release.suites",
        )
    return chosen


def _oracle(workspace: Workspace, manifest: Environment, suite: Suite) -> Oracle:
    plans = manifest.release.plans
    if suite.catalog is not None and suite.catalog not in plans:
        raise InputError(
            f"suite {suite.name} spans the catalog {suite.catalog!r}, which this release does not pin",
            code="catalog-not-in-release",
            where=str(suite.positions.of("matrix", "catalog")),
        )
    if suite.catalog is None and len(plans) != 1:
        raise InputError(
            f"the release pins {len(plans)} plan catalogs and suite {suite.name} does not say which it spans",
            code="catalog-unclear",
            where=str(suite.positions.of("matrix")),
            hint=f"add `catalog:` with one of {', '.join(plans)}",
        )
    name = suite.catalog or next(iter(plans))
    catalog = workspace.catalog(name, plans[name])
    return Oracle.of(catalog, manifest.bindings.policy, environment_positions=manifest.positions)


def _surfaces(manifest: Environment) -> tuple[str, ...]:
    targets = manifest.bindings.targets
    if "default" in targets:
        return (*_SURFACES, "default")
    return tuple(surface for surface in _SURFACES if surface in targets)


def _require_targets(manifest: Environment, suite: Suite, matrix: Matrix) -> None:
    for surface in matrix.axes["surface"]:
        if surface not in manifest.bindings.targets and "default" not in manifest.bindings.targets:
            raise InputError(
                f"suite {suite.name} tries the surface {surface!r}, and {manifest.name} has no target for it",
                code="surface-without-target",
                where=str(manifest.positions.of("bindings", "targets")),
                hint=f"add `{surface}:` or `default:` there",
            )


def _suite_plan(
    suite: Suite, oracle: Oracle, matrix: Matrix, *, identity: ReleaseIdentity, cache_key: str, covers: tuple[str, ...]
) -> SuitePlan:
    if not len(matrix):
        raise InputError(
            f"suite {suite.name} has an empty matrix: nothing would be judged",
            code="empty-matrix",
            where=str(suite.positions.of("matrix")),
        )
    return SuitePlan(
        suite=suite,
        digest=identity.suites[suite.name],
        matrix=matrix,
        axes=matrix.axes,
        coverage=str(matrix.coverage),
        expected=_expectation(oracle),
        passes=passes_of(suite.determinism, seed=suite.seed),
        cache_key=cache_key,
        left_out=_left_out(oracle, matrix),
        covers=covers,
    )


def _left_out(oracle: Oracle, matrix: Matrix) -> dict[str, tuple[str, ...]]:
    """What the catalog sells and the suite has no cell for: a report must not claim it (rule R12)."""
    catalog = oracle.catalog
    known = {"plan": catalog.plans, "state": (SUBSCRIBED, *catalog.states), "capability": catalog.capabilities}
    left = {axis: tuple(name for name in names if name not in matrix.axes[axis]) for axis, names in known.items()}
    return {axis: names for axis, names in left.items() if names}


def _expectation(oracle: Oracle) -> Callable[[Cell], Expected]:
    known: dict[Decision, Expected] = {}

    def expected(cell: Cell) -> Expected:
        decision = oracle.decide(cell.subject, cell.request)
        found = known.get(decision)
        if found is None:
            found = known[decision] = Expected(
                effect=decision.effect,
                reason=decision.reason,
                rule=decision.rule,
                where=oracle.where(decision),
                limit=decision.limit,
                setting=decision.setting,
            )
        return found

    return expected


def _cache_key(manifest: Environment, identity: ReleaseIdentity, suite: Suite, environ: Mapping[str, str]) -> str:
    """All that could change an answer beside the cell: what references resolve to counts, and only as a digest."""
    resolved = {
        name: environ.get(value.removeprefix("env:"), "") if value.startswith("env:") else value
        for name, value in _references(manifest)
    }
    parts = [identity.release, identity.effective, identity.suites[suite.name], suite.seed, resolved]
    targets = {name: asdict(target) for name, target in manifest.bindings.targets.items()}
    text = json.dumps([*parts, targets], sort_keys=True, default=dict)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _references(manifest: Environment) -> list[tuple[str, str]]:
    urls = [(f"targets.{name}", target.url or "") for name, target in manifest.bindings.targets.items()]
    return [*urls, *((f"secrets.{name}", value) for name, value in manifest.bindings.secrets.items())]


def check_targets(prepared: Prepared, *, make_driver: MakeDriver, context: DriverContext) -> None:
    """Build each driver without opening it, so that a target that is written wrong is refused before a run begins.

    Raises InputError.
    """
    for name, target in prepared.environment.bindings.targets.items():
        try:
            make_driver(replace(target, url="http://127.0.0.1:1") if _shared(target) else target, context)
        except InputError as error:
            place = str(prepared.environment.positions.of("bindings", "targets", name))
            problems = [replace(one, path=place, message=f"target {name}: {one.message}") for one in error.problems]
            raise InputError.of(problems) from error
    catalogs = [prepared.workspace.catalog(*pin) for pin in prepared.environment.release.plans.items()]
    found = target_problems(prepared.environment, catalogs, root=prepared.folder)
    # Whether a driver is known was the question above: `make_driver` may know more than the installed ones.
    wrong = [one for one in found if one.severity == "error" and one.code not in ("unknown-driver", "broken-driver")]
    if wrong:
        raise InputError.of(wrong)


@asynccontextmanager
async def open_targets(
    prepared: Prepared,
    *,
    make_driver: MakeDriver,
    context: DriverContext,
) -> AsyncIterator[OpenTargets]:
    """Open each target that a suite needs, once; close and stop all of them at the end, whatever happens.

    A target whose `url` is `target:NAME` shares the address of target NAME, so that one launched app serves several
    surfaces. Raises DriverError or InputError where a target cannot be opened.
    """
    declared = prepared.environment.bindings.targets
    surfaces = {str(surface) for matrix in prepared.matrices.values() for surface in matrix.axes["surface"]}
    names = {surface: surface if surface in declared else "default" for surface in sorted(surfaces)}
    async with AsyncExitStack() as stack:
        opened: dict[str, Driver] = {}
        for name in _sharers_last(declared, set(names.values())):
            target = declared[name]
            if shared := _shared(target):
                target = _sharing(target, declared[shared], url=_address(opened, name, shared))
            driver = make_driver(target, context)
            stack.push_async_callback(driver.close)
            await driver.open()
            opened[name] = driver
        yield OpenTargets(
            driver_of={surface: opened[name] for surface, name in names.items()},
            timeout_of={surface: declared[name].timeout_s for surface, name in names.items()},
            request_of=evaluation_request,
            opened=opened,
        )


def _sharing(target: Target, other: Target, *, url: str) -> Target:
    """`target` at the address of `other`, reached as that is unless it says otherwise."""
    return replace(
        target, url=url, ca=target.ca or other.ca, proxy=target.proxy or other.proxy, http=target.http or other.http
    )


def _shared(target: Target) -> str:
    return target.url.removeprefix("target:") if target.url and target.url.startswith("target:") else ""


def _sharers_last(declared: Mapping[str, Target], needed: set[str]) -> Sequence[str]:
    needed = needed | {_shared(declared[name]) for name in needed if _shared(declared[name])}
    return sorted((name for name in needed if name in declared), key=lambda name: (bool(_shared(declared[name])), name))


def _address(opened: Mapping[str, Driver], name: str, shared: str) -> str:
    address = getattr(opened.get(shared), "base_url", None)
    if not isinstance(address, str):
        raise DriverError(
            f"target {name} shares the address of target {shared!r}, which has none",
            code="target-without-address",
            hint="name a target with `url` or `launch`",
        )
    return address


def log_path(workspace: Path, run: str) -> Path:
    """Where the output of launched processes goes: beside the run."""
    return workspace / ".plangate" / "logs" / f"{run}.log"
