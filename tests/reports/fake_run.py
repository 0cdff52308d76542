"""A stored run built from values: a small plan catalog, an app that may be wrong, and what a run of it would hold."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from plangate.documents.suite import AXES
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.verdicts.judge import judge_cell, judge_run
from plangate.verdicts.observation import Fault
from plangate.verdicts.result import (
    CellResult,
    Expected,
    ObservedCount,
    RunHeader,
    RunSummary,
    SuiteSummary,
    Totals,
    Verdict,
)

CATALOG = "envs/plans/support-copilot/3.2.0.yaml"
PLANS = ("free", "pro", "enterprise")
STATES = ("Subscribed", "PendingFulfillmentStart", "Suspended", "Unsubscribed")
SURFACES = ("interaction", "orchestration", "tool")
CAPABILITIES = (
    "kb.search",
    "ticket.read",
    "ticket.write",
    "report.export",
    "data.export_own",
    "agent.autopilot",
    "crm.sync",
    "audit.read",
    "data.purge",
)
GRANTS = {
    "free": ("kb.search", "ticket.read"),
    "pro": ("kb.search", "ticket.read", "ticket.write", "report.export", "data.export_own"),
    "enterprise": CAPABILITIES[:8],
}
LIMITS = {
    ("free", "kb.search"): ("messages", 20),
    ("pro", "kb.search"): ("messages", 500),
    ("pro", "report.export"): ("exports", 50),
}
_NOT_SERVED = {"PendingFulfillmentStart": "not_activated", "Suspended": "suspended", "Unsubscribed": "unsubscribed"}

Axes = dict[str, str | int | bool | None]
App = Callable[[Axes, Expected], Sequence[ObservedCount]]
"""What the app under test says for a cell for which `Expected` is due."""


def expected(axes: Axes) -> Expected:
    """What the little catalog sells."""
    plan, state, capability = str(axes["plan"]), str(axes["state"]), str(axes["capability"])
    if capability == "data.purge":
        return Expected(effect=Effect.DENY, reason="prohibited", rule="D2", where=f"{CATALOG}:19:5")
    if state != "Subscribed" and not (state == "Suspended" and capability == "data.export_own"):
        return Expected(
            effect=Effect.DENY, reason=_NOT_SERVED[state], rule="D4", where=f"{CATALOG}:{24 + STATES.index(state)}:3"
        )
    if capability not in GRANTS.get(plan, ()):
        line = 31 + PLANS.index(plan) if plan in PLANS else 30
        return Expected(effect=Effect.DENY, reason="not_in_plan", rule="D6", where=f"{CATALOG}:{line}:14")
    usage = str(axes.get("usage", "zero"))
    if usage.startswith("first_over:"):
        name, limit = LIMITS[plan, capability]
        detail = LimitDetail(name, limit, 0, "2026-02-01T00:00:00Z")
        return Expected(effect=Effect.DENY, reason="limit_exceeded", rule="D9", where=f"{CATALOG}:32:50", limit=detail)
    if capability == "ticket.write":
        return Expected(effect=Effect.REQUIRE_APPROVAL, reason="approval_required", rule="D10", where=f"{CATALOG}:9:40")
    return Expected(effect=Effect.ALLOW, reason="entitled", rule="D11", where=f"{CATALOG}:31:14")


def said(
    effect: str,
    reason: str | None = None,
    *,
    count: int = 3,
    detail: str | None = None,
    limit: LimitDetail | None = None,
) -> ObservedCount:
    """An observed decision."""
    return ObservedCount(effect=Effect(effect), reason=reason, limit=limit, fault=None, count=count, detail=detail)


def failed(fault: str, detail: str = "", *, count: int = 3) -> ObservedCount:
    """An observed fault."""
    return ObservedCount(effect=None, reason=None, limit=None, fault=Fault(fault), count=count, detail=detail or None)


def right(axes: Axes, due: Expected) -> Sequence[ObservedCount]:
    """An app without a fault."""
    return (said(due.effect, due.reason, limit=due.limit),)


def allowing(condition: Callable[[Axes, Expected], bool]) -> App:
    """An app that allows everything where `condition` holds, and is right elsewhere."""
    return lambda axes, due: (said("allow", "entitled"),) if condition(axes, due) else right(axes, due)


def usages(plan: str, capability: str) -> tuple[str, ...]:
    """The boundary values of a plan's limit."""
    if (plan, capability) not in LIMITS:
        return ("zero",)
    name = LIMITS[plan, capability][0]
    return ("zero", f"last_fit:{name}", f"first_over:{name}")


def every_cell(
    *,
    plans: Sequence[str] = PLANS,
    states: Sequence[str] = STATES,
    capabilities: Sequence[str] = CAPABILITIES,
    surfaces: Sequence[str] = SURFACES,
    phrasings: Sequence[str | None] = (None,),
) -> Iterator[Axes]:
    """The axis values of each cell, exhaustively."""
    for plan, state, capability, surface in itertools.product(plans, states, capabilities, surfaces):
        for usage, phrasing in itertools.product(usages(plan, capability), phrasings):
            axes: Axes = {"plan": plan, "state": state, "capability": capability, "surface": surface, "usage": usage}
            yield axes | ({"phrasing": phrasing} if tuple(phrasings) != (None,) else {})


def cell_result(
    axes: Axes, observed: Sequence[ObservedCount], *, suite: str = "gating", due: Expected | None = None
) -> CellResult:
    """One judged cell."""
    due = due or expected(axes)
    verdict, leaked = judge_cell(due, observed)
    identity = "c-" + hashlib.sha256(repr((suite, sorted(axes.items()))).encode()).hexdigest()[:20]
    return CellResult(
        cell=identity,
        suite=suite,
        axes=axes,
        verdict=verdict,
        leaked=leaked,
        expected=due,
        observed=tuple(observed),
        reproduce=f"plangate run stage --cell {identity} --seed 7",
    )


def results(cells: Iterator[Axes], app: App = right, *, suite: str = "gating") -> list[CellResult]:
    """What a suite over `cells` finds in `app`."""
    return [cell_result(axes, app(axes, expected(axes)), suite=suite) for axes in cells]


HEADER = RunHeader(
    run="r-20260102-7f3a",
    environment="stage",
    tier="nonproduction",
    release="sha256:" + "4f3a91c2" * 8,
    effective="sha256:" + "0b5d77e1" * 8,
    seed=7,
    started="2026-01-02T10:00:00Z",
    finished="2026-01-02T10:00:09Z",
    duration_s=9.25,
    plangate="0.1.0",
    app="support-copilot 4.2.0",
    model="smollm2-135m-instruct q4_1",
    target="http http://127.0.0.1:8123 (launched)",
)


@dataclass
class FakeRun:
    """A `RunReport` over cells held in a list."""

    held: list[CellResult]
    header: RunHeader = HEADER
    missing: int = 0
    """Cells that were expected and are not in `held`, beside those of `never`."""
    place: str = ""
    never: list[CellResult] = field(default_factory=list)
    """Expected cells that nobody observed."""

    def summary(self) -> RunSummary:
        names = list(dict.fromkeys(one.suite for one in self.held)) or ["gating"]
        suites = tuple(
            self._suite(name, missing=self.missing + len(self.never) if name == names[0] else 0) for name in names
        )
        totals = Totals(**{field: sum(getattr(suite.totals, field) for suite in suites) for field in Totals.__slots__})
        leaked = sum(one.leaked for one in self.held)
        return RunSummary(
            header=self.header,
            verdict=judge_run(
                [suite.totals for suite in suites],
                leaked=leaked,
                stopped=bool(self.header.stopped),
                differs=self.header.ran == "differs",
            ),
            fingerprint="sha256:" + "c0ffee00" * 8,
            totals=totals,
            leaked=leaked,
            suites=suites,
        )

    def _suite(self, name: str, *, missing: int) -> SuiteSummary:
        mine = [one for one in self.held if one.suite == name]
        counts = {verdict: sum(one.verdict is verdict for one in mine) for verdict in Verdict}
        values: dict[str, dict] = {axis: {} for axis in AXES if any(axis in one.axes for one in (*mine, *self.never))}
        for one in (*mine, *self.never):
            for axis, value in one.axes.items():
                values[axis][value] = None
        totals = Totals(
            expected=len(mine) + missing,
            executed=sum(one.whole for one in mine),
            observations=sum(seen.count for one in mine for seen in one.observed),
            passed=sum(one.verdict is Verdict.PASS and one.whole for one in mine),
            leak=counts[Verdict.LEAK],
            lockout=counts[Verdict.LOCKOUT],
            mismatch=counts[Verdict.MISMATCH],
            flaky=counts[Verdict.FLAKY],
            error=counts[Verdict.ERROR],
            retried=sum(one.retries for one in mine),
            allowing=sum(one.expected.effect is not Effect.DENY for one in mine),
        )
        axes = {axis: tuple(held) for axis, held in values.items()}
        return SuiteSummary(
            name=name,
            version=5,
            digest="sha256:" + "5a1e" * 16,
            totals=totals,
            coverage="exhaustive",
            covers=("C2",),
            axes=axes,
            seed=7,
            passes=3,
            rules=tuple(sorted({one.expected.rule for one in mine})),
        )

    def failures(self, *, limit: int | None = None) -> Iterator[CellResult]:
        order = [Verdict.LEAK, Verdict.FLAKY, Verdict.LOCKOUT, Verdict.MISMATCH, Verdict.ERROR]
        failing = [one for one in self.held if one.verdict is not Verdict.PASS]
        return iter(sorted(failing, key=lambda one: (order.index(one.verdict), one.cell))[:limit])

    def cells(self) -> Iterator[CellResult]:
        return iter(self.held)

    def unobserved(self) -> Iterator[CellResult]:
        return iter(self.never)


def run_of(app: App = right, **axes: Sequence[str]) -> FakeRun:
    """A finished run of one suite over the little catalog."""
    return FakeRun(results(every_cell(**axes), app))


def with_header(run: FakeRun, **changes: object) -> FakeRun:
    """The same run under another header."""
    return replace(run, header=replace(run.header, **changes))


NASTY = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "\x1b[31mred\x1b[0m\x00\r\nnext line",
    "]]><!-- ${7*7} {{7*7}} {% raw %}",
    "@everyone `code` | *bold* [link](http://evil.example) http://evil.example",
    "\u202e\ud800\u2028\ufffe",
)
"""Texts that an app under test, or whoever talks to it, may bring into a report."""


def nasty_run() -> FakeRun:
    """A run in which every text that comes from outside is hostile."""
    held = []
    for number, text in enumerate(NASTY):
        axes: Axes = {"plan": f"free{text}", "state": text, "capability": text, "surface": "tool", "phrasing": text}
        due = Expected(effect=Effect.DENY, reason="not_in_plan", rule="D6", where=f"{text}:1:1")
        answers = [
            (said("allow", text, detail=text, limit=LimitDetail(text, 1, 0)),),
            (failed("raised", text),),
            (said("deny", text, detail=text),),
        ]
        held.append(cell_result(axes, answers[number % 3], due=due))
    header = replace(HEADER, app=NASTY[0], model=NASTY[1], target=NASTY[2], stopped=NASTY[5])
    return FakeRun(held, header=header)
