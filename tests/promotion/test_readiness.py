"""What may come from where, and whose word counts for it: each demand from documents and state alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plangate.documents.workspace import Workspace
from plangate.errors import InputError
from plangate.promotion.bypasses import live_bypasses
from plangate.promotion.candidate import promoted, restored
from plangate.promotion.graph import unmet_sources
from plangate.promotion.proposal import propose
from plangate.promotion.readiness import readiness
from plangate.promotion.state import Approval, Bypass, State
from tests.promotion.stages import make_stages

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
REJECTED = Approval(
    plan="", environment="prod", person="dave", key=b"dave", role="manager", expires="2026-12-01T00:00:00Z",
    reason="too early", at="2026-11-26T11:00:00Z", digest="e",
)  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.open(make_stages(tmp_path_factory.mktemp("stages"), trust=False))


def test_a_rejection_by_who_speaks_about_another_environment_blocks_nothing(workspace: Workspace) -> None:
    proposal = propose(workspace, "stage", source=None)
    plan = proposal.plan
    for environment, blocked in (("stage", True), ("prod", False)):
        state = State(rejections={plan.digest: [replace(REJECTED, environment=environment)]})
        found = readiness(plan, proposal.candidate.environment, state=state, sources=proposal.sources, now=NOON)
        assert ("P5/rejection" in [one.demand for one in found.missing]) is blocked


def test_a_source_of_which_nothing_is_known_does_not_run_the_release(workspace: Workspace) -> None:
    stage = workspace.environment("stage")
    (owed,) = unmet_sources(stage, release="sha256:r", failing={}, present={})
    assert (owed.rule, owed.text) == ("P2", "dev does not run this release")
    assert unmet_sources(stage, release="sha256:r", failing={}, present={"dev": "sha256:r"}) == []


def test_other_bindings_are_another_plan(workspace: Workspace, tmp_path: Path) -> None:
    """What approvers signed is gone where the target is bound to something else: release and policy are the same."""
    root = make_stages(tmp_path, trust=False)
    before = propose(Workspace.open(root), "stage", source=None).plan
    stage = root / "envs" / "stage.yaml"
    stage.write_text(stage.read_text().replace("timeout_s: 1", "timeout_s: 2"))
    after = propose(Workspace.open(root), "stage", source=None).plan
    assert (before.release, before.policy, before.revision) == (after.release, after.policy, after.revision)
    assert before.digest != after.digest


def test_the_suites_that_the_target_asks_for_come_with_the_release(tmp_path: Path) -> None:
    root = make_stages(tmp_path, trust=False)
    stage = root / "envs" / "stage.yaml"
    text = stage.read_text().replace("gates: [{suite: gating}]", "gates: [{suite: gating}, {suite: deeper}]")
    stage.write_text(text.replace("suites: {gating: 1}", "suites: {gating: 1, deeper: 1}"))
    deeper = (root / "evals" / "gating.yaml").read_text().replace("name: gating", "name: deeper")
    (root / "evals" / "deeper.yaml").write_text(deeper)
    with pytest.raises(InputError) as refused:
        promoted(Workspace.open(root), "stage", source="dev")
    assert refused.value.code == "gate-without-suite"


@pytest.mark.parametrize("revision", [1, 2, 7])
def test_a_rollback_goes_back(tmp_path: Path, revision: int) -> None:
    """A later manifest lies among the older ones, left there by another branch."""
    root = make_stages(tmp_path, trust=False)
    stage, history = root / "envs" / "stage.yaml", root / "envs" / "history" / "stage"
    history.mkdir(parents=True)
    text = stage.read_text()
    for number in (1, 2, 7):
        older = text.replace("revision: 1", f"revision: {number}").replace(
            "name: none, version", f"name: m{number}, version"
        )
        (history / f"{number}.yaml").write_text(older)
    stage.write_text(text.replace("revision: 1", "revision: 2"))
    if revision == 1:
        assert restored(Workspace.open(root), "stage", revision=1).source_revision == 1
        return
    with pytest.raises(InputError) as refused:
        restored(Workspace.open(root), "stage", revision=revision)
    assert refused.value.code == "no-such-revision"


GOOD = Bypass(
    plan="p", environment="prod", demand="P8/soak", person="sue", reason="customers wait",
    expires="2026-11-30T10:00:00Z", at="2026-11-26T10:00:00Z", digest="d",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({}, True),
        ({"demand": "P5/rejection"}, False),
        ({"demand": "P1/trust"}, False),
        ({"demand": "P7"}, False),
        ({"demand": "P4"}, False),
        ({"reason": ""}, False),
        ({"expires": "2026-12-03T10:00:00Z"}, True),
        ({"expires": "2026-12-03T10:00:01Z"}, False),
        ({"expires": "2036-11-26T10:00:00Z"}, False),
        ({"expires": "2026-11-26T12:00:00Z"}, False),
        ({"expires": ""}, False),
        ({"expires": "soon"}, False),
        ({"expires": "2026-11-30T10:00:00"}, False),
        ({"expires": "9999-12-31T23:59:59-23:59"}, False),
        ({"person": "alice"}, False),
    ],
)
def test_a_signed_bypass_counts_only_as_far_as_a_bypass_may_go(changed: dict[str, str], counts: bool) -> None:
    """The verb refuses these; whoever holds a key can sign them all the same."""
    found = live_bypasses([replace(GOOD, **changed)], now=NOON, requester="alice")
    assert bool(found) is counts


UNREADABLE = ["soon", "", "2026-11-30T10:00:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"]


@pytest.mark.parametrize("expires", UNREADABLE)
def test_a_word_whose_end_nobody_can_read_counts_for_nothing_stops_nothing_and_is_told(
    workspace: Workspace, expires: str
) -> None:
    """A key holder signs what the verbs refuse. Everybody else goes on, and is told why that word is no word."""
    proposal = propose(workspace, "stage", source=None)
    plan, environment = proposal.plan, proposal.candidate.environment
    asking = replace(environment, promotion=replace(environment.promotion, approvals_count=1, approval_roles=()))

    def missing(state: State) -> list[tuple[str, str]]:
        found = readiness(plan, asking, state=state, sources=proposal.sources, now=NOON)
        assert found.bypassed == ()
        return [(one.demand, one.text) for one in found.missing]

    without = missing(State())
    assert {"P1/gating", "P5"} <= {demand for demand, _ in without}
    bypass = replace(GOOD, plan=plan.digest, environment="stage", demand="P1/gating", expires=expires)
    approval = replace(REJECTED, plan=plan.digest, environment="stage", expires=expires)
    told = missing(State(bypasses={plan.digest: [bypass]}, approvals={plan.digest: [approval]}))
    reason = f"does not count: {expires!r}, where it should say until when it stands, is not a time"
    assert sorted(one for one in told if one not in without) == [
        ("P1/gating", f"the bypass of P1/gating by sue {reason}"),
        ("P5", f"the approval of dave {reason}"),
    ]
    assert [one for one in told if one in without] == without


def test_a_bypass_of_what_is_not_missing_is_no_demand_of_its_own(workspace: Workspace) -> None:
    proposal = propose(workspace, "stage", source=None)
    plan = proposal.plan
    idle = replace(GOOD, plan=plan.digest, environment="stage", demand="P8/soak", reason="")
    state = State(bypasses={plan.digest: [idle]})
    found = readiness(plan, proposal.candidate.environment, state=state, sources=proposal.sources, now=NOON)
    assert not [one for one in found.missing if one.demand == "P8/soak"]
