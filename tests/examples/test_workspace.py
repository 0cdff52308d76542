"""The shipped workspace: sound, true to the app it is about, and able to see each of its faults."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from plangate.documents.workspace import Workspace
from plangate.entitlements.decision import Decision, Effect, Reason
from plangate.entitlements.oracle import Oracle
from plangate.matrix.expansion import expand
from plangate.matrix.request_shape import evaluation_request
from plangate.releases.placeholders import with_release
from tests.examples.running import ROOT

ENVIRONMENTS = ("dev", "stage", "prod")


@cache
def workspace() -> Workspace:
    return Workspace.open(ROOT)


@cache
def questions(environment: str, suite: str) -> tuple[tuple[dict[str, Any], Decision], ...]:
    """Every question of one suite with the answer that the plan catalog says."""
    manifest = workspace().environment(environment)
    (name, version), *_ = manifest.release.plans.items()
    oracle = Oracle.of(workspace().catalog(name, version), manifest.bindings.policy)
    matrix = expand(workspace().suite(suite), oracle, surfaces=list(manifest.bindings.targets))
    return tuple((evaluation_request(cell), oracle.decide(cell.subject, cell.request)) for cell in matrix)


def answers(environment: str, suite: str, *, bug: str = "") -> Iterator[tuple[Decision, dict[str, Any]]]:
    """(expected, what the app's decision point says) for every question of a suite."""
    from copilot.bugs import parts_for
    from copilot.entitlements import HousePolicy

    manifest = workspace().environment(environment)
    parts, policy = parts_for(bug), manifest.bindings.policy
    house = HousePolicy(never=frozenset(policy.denied), ask_a_person=frozenset(policy.lanes))
    book = parts.read_plans(*manifest.release.plans.values())
    point = parts.decision_point(parts.entitlements(book, house))
    for question, expected in questions(environment, suite):
        yield expected, point.evaluate(question)["context"]


def suites_of(environment: str) -> list[str]:
    return list(workspace().environment(environment).release.suites)


CASES = [(environment, suite) for environment in ENVIRONMENTS for suite in suites_of(environment)]


def test_it_is_sound() -> None:
    assert [problem for problem in workspace().check() if problem.severity == "error"] == []


def test_its_environments_are_the_usual_three() -> None:
    assert set(workspace().environment_names()) == set(ENVIRONMENTS)
    assert len(workspace().catalog_versions()) >= 2
    assert len({name for name, _ in workspace().prompt_versions()}) >= 3


@pytest.mark.parametrize(("environment", "suite"), CASES)
def test_the_app_answers_every_question_as_the_catalog_says(environment: str, suite: str) -> None:
    wrong = []
    for expected, said in answers(environment, suite):
        limit = said.get("limit")
        heard = (said["effect"], said["reason"], limit and (limit["name"], limit["limit"], limit["remaining"]))
        number = expected.limit
        meant = (expected.effect, expected.reason, number and (number.name, number.limit, number.remaining))
        if heard != meant:
            wrong.append((meant, heard))
    assert wrong == []


def test_every_reason_there_is_has_a_question_in_stage() -> None:
    reasons = {expected.reason for suite in suites_of("stage") for _, expected in questions("stage", suite)}
    assert reasons == set(Reason)


def test_stage_is_large_enough_to_mean_something_and_small_enough_to_run() -> None:
    cells = sum(len(questions("stage", suite)) for suite in suites_of("stage"))
    assert 3_000 <= cells <= 15_000


def _rule_faults() -> list[str]:
    from copilot.bugs import BUGS

    within = [bug for bug in BUGS if bug.parts.keys() <= {"entitlements", "read_plans"}]
    return [bug.name for bug in within if bug.verdict != "flaky"]  # those depend on the process or on what came before


@pytest.mark.parametrize("name", _rule_faults())
def test_the_suite_that_a_fault_names_sees_it(name: str) -> None:
    from copilot.bugs import BUGS

    bug = next(each for each in BUGS if each.name == name)
    environment = bug.environments[0]
    seen = set()
    for expected, said in answers(environment, bug.found_by, bug=name):
        if said["effect"] == "allow" and expected.effect is not Effect.ALLOW:
            seen.add("leak")
        elif said["effect"] == "deny" and expected.effect is not Effect.DENY:
            seen.add("lockout")
        elif said["reason"] != expected.reason or _number(said) != (expected.limit and expected.limit.limit):
            seen.add("mismatch")
    assert bug.verdict in seen


def _number(said: dict[str, Any]) -> int | None:
    return said["limit"]["limit"] if said.get("limit") else None


@pytest.mark.parametrize("environment", ["stage", "prod"])
def test_what_is_launched_is_what_is_pinned(environment: str) -> None:
    """The launch tells the app what its release pins, by placeholder, and what its policy says a second time."""
    manifest = with_release(workspace().environment(environment))
    launch = manifest.bindings.targets["interaction"].launch
    assert launch
    told, release, policy = launch.env, manifest.release, manifest.bindings.policy
    assert told["COPILOT_PLANS"] == release.plans["support-copilot"]
    assert told["COPILOT_KB"] == release.retrieval["kb"]
    assert dict(pair.split("=") for pair in told["COPILOT_PROMPTS"].split()) == dict(release.prompts)
    assert set(told.get("COPILOT_FLAGS", "").split()) == {flag for flag, on in release.flags.items() if on}
    assert set(told.get("COPILOT_APPROVALS", "").split()) == set(policy.lanes)
    assert set(told.get("COPILOT_NEVER", "").split()) == set(policy.denied)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_is_pinned_is_what_the_app_is(environment: str) -> None:
    from copilot import __version__
    from copilot.model import MODEL_NAME, MODEL_VERSION
    from copilot.tools import TOOLS_VERSION

    release = workspace().environment(environment).release
    assert release.app_version == __version__
    assert (release.model.name, release.model.version) == (MODEL_NAME, MODEL_VERSION)
    assert release.tools["support-copilot"] == TOOLS_VERSION


def test_each_surface_has_tenants_of_its_own_in_the_app() -> None:
    """All three reach one app; a tenant that two of them shared would have its usage spent by both."""
    targets = workspace().environment("stage").bindings.targets
    tenants = {targets[surface].headers["X-Tenant"] for surface in ("interaction", "orchestration", "tool")}
    assert len(tenants) == 3
    for surface in ("interaction", "orchestration", "tool"):
        arrange = targets[surface].arrange
        assert arrange
        assert arrange.path == f"/test/tenants/{targets[surface].headers['X-Tenant']}"


def test_attack_phrasings_are_many_and_all_different() -> None:
    phrasings = workspace().suite("attacks").phrasings
    assert len(phrasings) >= 40
    assert len(set(phrasings)) == len(phrasings)
