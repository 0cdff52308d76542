"""dev -> stage -> prod -> back, as people do it; and everybody who must not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from plangate.cli import entry
from plangate.evidence.envelope import open_envelope, seal
from plangate.evidence.keys import PrivateKey
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import APPROVAL, TEST_RESULT, VERIFICATION_SUMMARY, Statement, Subject
from tests.cli.promotions import by, plan_of, plangate
from tests.cli.shops import start_plangate
from tests.promotion.stages import make_stages


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """stage's gates ran on dev's release, nothing is applied yet."""
    root = make_stages(tmp_path_factory.mktemp("validated"))
    status, _, code = plangate(root, "promote", "stage", "--validate", *by(root, "ci"))
    assert (status, code) == (0, "")
    return root


@pytest.fixture
def root(validated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(validated, tmp_path / "shop"))


def test_the_first_lines_say_what_customers_get_before_any_run(tmp_path: Path) -> None:
    root = make_stages(tmp_path)
    status, out, _ = plangate(root, "promote", "stage")
    assert status == 1
    assert out.index("free gains report.export") < out.index("plans.shop: 1.0.0 -> 1.1.0") < out.index("missing")
    assert not (root / ".plangate" / "runs").exists()
    document = plan_of(root, "promote", "stage")
    assert document["decision_changes"] == [
        {
            "plan": "free",
            "state": "Subscribed",
            "capability": "report.export",
            "before": {"effect": "deny", "reason": "not_in_plan"},
            "after": {"effect": "allow", "reason": "entitled"},
        }
    ]
    assert [(gate["suite"], gate["result"]) for gate in document["gates"]] == [("gating", "missing")]


def test_without_a_trust_policy_nothing_is_promoted(tmp_path: Path) -> None:
    root = make_stages(tmp_path, trust=False)
    status, out, _ = plangate(root, "promote", "stage")
    assert status == 1, "the plan is shown, and is not ready"
    assert out.index("free gains report.export") < out.index("there is no trust policy")
    plan = out.split()[out.split().index("plan") + 1]
    assert CliRunner().invoke(entry.program, ["keys", "new", "alice", "--out", str(root / "keys")]).exit_code == 0
    for refused in (("--validate",), ("--apply", plan)):
        assert plangate(root, "promote", "stage", *refused, *by(root, "alice"))[::2] == (2, "no-trust")
    status, out, _ = plangate(root, "status")
    assert status == 0
    assert "nothing can be promoted" in out


def test_the_whole_way_there_and_back(root: Path) -> None:
    plan = plan_of(root, "promote", "stage")
    assert plan["ready"]
    before = (root / "envs" / "stage.yaml").read_text()
    assert plangate(root, "promote", "stage", "--apply", plan["plan"], *by(root, "alice"))[::2] == (0, "")
    after = (root / "envs" / "stage.yaml").read_text()
    assert after == before.replace("revision: 1", "revision: 2").replace(
        "shop: 1.0.0}\n  suites", "shop: 1.1.0}\n  suites"
    )
    assert (root / "envs" / "history" / "stage" / "1.yaml").read_text() == before

    assert plangate(root, "promote", "prod", "--validate", *by(root, "ci"))[0] == 1  # approvals are missing
    plan = plan_of(root, "promote", "prod")["plan"]
    for person, role in (("alice", "manager"), ("bob", "security")):
        assert plangate(root, "approve", plan, "--role", role, *by(root, person))[0] == 0
    refused = plan_of(root, "promote", "prod")["missing"]
    assert any("alice does not count" in one["text"] for one in refused), "alice made this release enter"
    assert plangate(root, "promote", "prod", "--apply", plan, *by(root, "alice"))[0] == 1
    assert plangate(root, "approve", plan, "--role", "manager", *by(root, "carol"))[0] == 0
    assert plangate(root, "promote", "prod", "--apply", plan, *by(root, "carol"))[0] == 1, "carol approved it"
    assert plangate(root, "promote", "prod", "--apply", plan, *by(root, "alice"))[0] == 0
    _, out, _ = plangate(root, "history", "prod")
    assert "promotion from stage by alice, approved by bob, carol" in out

    back = plan_of(root, "rollback", "prod")
    assert [(gate["suite"], gate["result"]) for gate in back["gates"]] == [("gating", "missing")]
    # The app has moved on: it does not do any more what prod sold before, and the gate says so.
    assert plangate(root, "rollback", "prod", "--validate", *by(root, "ci"))[0] == 1
    assert [gate["result"] for gate in plan_of(root, "rollback", "prod")["gates"]] == ["failed"]


def test_a_rollback_needs_evidence_and_holds_until_it_is_lifted(tmp_path: Path) -> None:
    root = make_stages(tmp_path, app="")
    dev = root / "envs" / "dev.yaml"
    dev.write_text(
        dev.read_text()
        .replace("shop: 1.1.0", "shop: 1.0.0")
        .replace("name: none, version: 1.0.0", "name: none, version: 1.0.1")
    )
    plan = plan_of(root, "promote", "stage")["plan"]
    assert plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
    assert plan_of(root, "rollback", "stage")["missing"], "revision 1 was put there by hand, and nobody judged it"
    assert plangate(root, "rollback", "stage", "--validate", *by(root, "ci"))[0] == 0
    back = plan_of(root, "rollback", "stage")["plan"]
    words = ("--reason", "answers are slow")
    assert plangate(root, "rollback", "stage", "--apply", back, *words, *by(root, "carol"))[0] == 0
    stage = (root / "envs" / "stage.yaml").read_text()
    assert "revision: 3" in stage
    assert "name: none, version: 1.0.0" in stage
    assert "HELD: answers are slow" in plangate(root, "status")[1]
    again = plan_of(root, "promote", "stage")
    assert [(one["rule"], "answers are slow" in one["text"]) for one in again["missing"]] == [("P7", True)]
    assert plangate(root, "promote", "stage", "--apply", again["plan"], *by(root, "alice"))[0] == 1
    assert plangate(root, "hold", "stage", "--lift", "--reason", "mended", *by(root, "alice"))[0] == 0
    assert plangate(root, "promote", "stage", "--apply", again["plan"], *by(root, "alice"))[0] == 0


def test_a_release_that_was_never_here_is_no_way_back(root: Path) -> None:
    plan = plan_of(root, "promote", "stage")["plan"]
    plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))
    manifest = root / "envs" / "stage.yaml"
    manifest.write_text(
        manifest.read_text().replace("gates: [{suite: gating}]", "gates: [{suite: gating, mode: warn}]")
    )
    assert [one["rule"] for one in plan_of(root, "rollback", "stage")["missing"]] == ["P7"]
    assert plangate(root, "rollback", "stage", "--to", "7")[::2] == (2, "no-such-revision")


def test_everything_that_must_not_apply_a_plan_is_refused(root: Path) -> None:
    plan = plan_of(root, "promote", "stage")["plan"]
    apply = ("promote", "stage", "--apply", plan)
    assert plangate(root, *apply)[::2] == (2, "no-signer")
    assert plangate(root, *apply, *by(root, "mallory"))[::2] == (2, "not-trusted")
    assert plangate(root, *apply, *by(root, "ci"))[::2] == (2, "not-trusted")
    assert plangate(root, *apply, *by(root, "alice")[:2], "--as", "bob")[::2] == (2, "not-that-person")
    assert plangate(root, "promote", "prod", "--apply", plan, *by(root, "alice"))[::2] == (2, "plan-of-another")
    no_plan = "sha256:" + "0" * 64
    assert plangate(root, "promote", "stage", "--apply", no_plan, *by(root, "alice"))[::2] == (2, "no-such-plan")
    assert "revision: 1" in (root / "envs" / "stage.yaml").read_text()


def test_a_plan_that_is_no_longer_true_is_not_applied(root: Path) -> None:
    plan = plan_of(root, "promote", "stage")["plan"]
    dev = root / "envs" / "dev.yaml"
    dev.write_text(dev.read_text().replace("version: 1.0.0}\n  plans", "version: 1.0.1}\n  plans"))
    refused = plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))
    assert refused[::2] == (2, "plan-changed")
    assert plangate(root, "approve", plan, "--role", "manager", *by(root, "alice"))[::2] == (2, "plan-changed")


def test_bindings_that_changed_open_the_gate_again(root: Path) -> None:
    stage = root / "envs" / "stage.yaml"
    stage.write_text(stage.read_text().replace("timeout_s: 1", "timeout_s: 2"))
    assert [gate["result"] for gate in plan_of(root, "promote", "stage")["gates"]] == ["missing"]


def test_a_source_whose_bindings_changed_is_validated_again_where_it_is(root: Path) -> None:
    plan = plan_of(root, "promote", "stage")["plan"]
    plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))
    stage = root / "envs" / "stage.yaml"
    stage.write_text(stage.read_text().replace("timeout_s: 1", "timeout_s: 2"))
    wanted = "in stage, gate gating is missing"
    assert any(wanted in one["text"] for one in plan_of(root, "promote", "prod")["missing"])
    assert plangate(root, "promote", "stage", "--validate", "--present", *by(root, "ci"))[0] == 0
    assert not any(wanted in one["text"] for one in plan_of(root, "promote", "prod")["missing"])


def test_a_later_failure_revokes_and_an_outsiders_word_does_not(root: Path) -> None:
    ledger = Ledger(root / "evidence")
    result = open_envelope(ledger.envelope(next(ledger.entries()).digest)).statement()
    assert result.predicate_type == TEST_RESULT
    failed = type(result)(
        subjects=result.subjects, predicate_type=TEST_RESULT, predicate={**result.predicate, "result": "FAILED"}
    )
    for person, gate in (("mallory", "passed"), ("ci", "failed")):
        key = PrivateKey.load((root / "keys" / f"{person}.key").read_bytes())
        ledger.append(seal(failed, key=key), key=key, at="2026-01-01T00:00:00Z")
        assert [one["result"] for one in plan_of(root, "promote", "stage")["gates"]] == [gate]


def test_evidence_that_is_gone_or_changed_is_never_passed_over(root: Path) -> None:
    name = next(Ledger(root / "evidence").entries()).digest
    path = root / "evidence" / f"{name}.dsse.json"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"a", b"b", 1))
    assert plangate(root, "promote", "stage")[::2] == (4, "evidence-changed")
    path.unlink()
    assert plangate(root, "status")[::2] == (4, "evidence-missing")


def test_an_app_that_leaks_is_recorded_as_failed_and_not_promoted(tmp_path: Path) -> None:
    root = make_stages(tmp_path, app='GRANTS["free"] |= {"report.export", "crm.sync"}\nLIMITS["free"] = 10**9\n')
    plan = plan_of(root, "promote", "stage")["plan"]
    status, out, _ = plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))
    assert status == 1
    assert "gate gating is failed" in out
    assert "revision: 1" in (root / "envs" / "stage.yaml").read_text()
    statements = [
        open_envelope(Ledger(root / "evidence").envelope(entry.digest)).statement()
        for entry in Ledger(root / "evidence").entries()
    ]
    result, summary = statements
    assert result.predicate["result"] == "FAILED"
    assert result.predicate["failedTests"]
    assert result.predicate["configuration"][0]["name"] == "suite/gating"
    assert summary.predicate_type == VERIFICATION_SUMMARY
    assert summary.predicate["verifiedLevels"] == ["FAILED"]


LEAKS = 'GRANTS["free"] |= {"report.export", "data.purge"}\nhonest = evaluate\n' + dedent("""\
    def evaluate(request):
        who = request["subject"]["properties"]
        stopped = request["action"]["name"] == "report.export" and who["state"] == "Suspended"
        return answer("allow", "entitled") if stopped else honest(request)
    """)


@pytest.mark.parametrize(
    ("gates", "validated", "let_through", "told"),
    [
        ("[{suite: gating, mode: warn}]", False, False, "; no gate was required; gating failed, and only warns"),
        ("[{suite: gating, mode: 'off'}]", False, False, "; no gate was required"),
        ("[]", False, False, "; no gate was required"),
        ("[{suite: gating, allow: {leak: 100}}]", True, True, "; gating did not pass, and was let through"),
    ],
)
def test_what_a_leaking_app_came_in_by_is_told_for_good_and_not_called_validated(
    tmp_path: Path, gates: str, validated: bool, let_through: bool, told: str
) -> None:
    root = make_stages(tmp_path, app=LEAKS)
    manifest = root / "envs" / "stage.yaml"
    manifest.write_text(manifest.read_text().replace("gates: [{suite: gating}]", f"gates: {gates}"))
    plangate(root, "promote", "stage", "--validate", *by(root, "ci"))
    plan = plan_of(root, "promote", "stage")["plan"]
    assert plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
    for _ in range(2):  # judged, and as it was kept
        (stage,) = (
            one
            for one in json.loads(plangate(root, "status", "--json")[1])["environments"]
            if one["environment"] == "stage"
        )
        assert (bool(stage["validated"]), stage["let_through"]) == (validated, let_through)
    assert ("LET THROUGH" in plangate(root, "status")[1]) is let_through
    assert plangate(root, "history", "stage")[1].rstrip().endswith(told)


def test_a_pass_after_what_was_let_through_is_a_pass(tmp_path: Path) -> None:
    root = make_stages(tmp_path, app=LEAKS)
    manifest, app = root / "envs" / "stage.yaml", root / "shop_app.py"
    manifest.write_text(manifest.read_text().replace("{suite: gating}]", "{suite: gating, allow: {leak: 100}}]"))
    plan = plan_of(root, "promote", "stage")["plan"]
    assert plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
    assert "LET THROUGH" in plangate(root, "status")[1]
    app.write_text(app.read_text() + "evaluate = honest\n")
    assert plangate(root, "promote", "stage", "--validate", "--present", *by(root, "ci"))[0] == 0
    assert "LET THROUGH" not in plangate(root, "status")[1]


def test_a_hold_keeps_releases_out_until_it_is_lifted(root: Path) -> None:
    hold = ("hold", "stage", "--reason", "audit week", *by(root, "alice"))
    assert plangate(root, *hold)[0] == 0
    assert [one["rule"] for one in plan_of(root, "promote", "stage")["missing"]] == ["P7"]
    assert "HELD: audit week" in plangate(root, "status")[1]
    assert plangate(root, *hold, "--lift")[0] == 0
    assert plan_of(root, "promote", "stage")["ready"]
    assert plangate(root, *hold, "--lift")[::2] == (2, "no-hold")


def test_a_clock_that_was_set_back_decides_nothing(root: Path) -> None:
    """The ledger has seen a later day: soak, windows and expiry would all be wrong."""
    plan = plan_of(root, "promote", "stage")["plan"]
    key = PrivateKey.load((root / "keys" / "mallory.key").read_bytes())
    Ledger(root / "evidence").append(b"{}", key=key, at="2999-01-01T00:00:00Z")
    for verb in (
        ("promote", "stage", "--apply", plan), ("promote", "stage", "--validate"), ("hold", "stage", "--reason", "x"),
        ("approve", plan, "--role", "manager"),
    ):  # fmt: skip
        assert plangate(root, *verb, *by(root, "alice"))[::2] == (4, "clock-behind")
    assert "revision: 1" in (root / "envs/stage.yaml").read_text(encoding="utf-8")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    root = make_stages(tmp_path)
    files = sorted(path for path in root.rglob("*"))
    assert plangate(root, "promote", "stage", "--dry-run", "--markdown")[0] == 1
    assert sorted(path for path in root.rglob("*")) == files


def test_data_of_customers_outside_production_is_refused(root: Path) -> None:
    stage = root / "envs" / "stage.yaml"
    stage.write_text(stage.read_text().replace("bindings:\n", "bindings:\n  data: [{name: kb, class: production}]\n"))
    assert any(one["rule"] == "P4" for one in plan_of(root, "promote", "stage")["missing"])


def test_who_may_speak_about_stage_only_approves_nothing_for_prod(root: Path) -> None:
    trust = root / "envs" / "trust.yaml"
    trust.write_text(
        trust.read_text().replace("security: {keys: [bob]", "security: {environments: [stage], keys: [bob]")
    )
    plan = plan_of(root, "promote", "stage")["plan"]
    plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))
    document = plan_of(root, "promote", "prod")
    approve = ("approve", document["plan"], "--role", "security", *by(root, "bob"))
    assert plangate(root, *approve)[::2] == (2, "not-trusted")
    key = PrivateKey.load((root / "keys" / "bob.key").read_bytes())
    predicate = {
        "decision": "approve", "plan": document["plan"], "environment": "stage", "role": "security",
        "expires": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    subjects = (Subject("release.lock", "0" * 64),)
    lie = seal(Statement(subjects=subjects, predicate_type=APPROVAL, predicate=predicate), key=key)
    Ledger(root / "evidence").append(lie, key=key, at="2026-01-01T00:00:00Z")
    missing = [one["text"] for one in plan_of(root, "promote", "prod")["missing"] if one["rule"] == "P5"]
    assert missing == ["2 more approvals by manager or security"]


def test_of_two_who_apply_at_once_one_wins_and_the_other_is_told(root: Path) -> None:
    plan = plan_of(root, "promote", "stage")["plan"]
    both = [
        start_plangate("promote", "stage", "--apply", plan, *by(root, person), cwd=root)
        for person in ("alice", "carol")
    ]
    ends = [(process.communicate(timeout=60), process.returncode) for process in both]
    assert sorted(status for _, status in ends) == [0, 2]
    loser = next(err for (_, err), status in ends if status)
    assert any(code in loser for code in ("nothing-to-promote", "plan-changed", "revision-moved")), loser
    assert "revision: 2" in (root / "envs" / "stage.yaml").read_text()
    assert len(json.loads(plangate(root, "history", "stage", "--json")[1])["history"]) == 1
