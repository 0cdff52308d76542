"""`pytest evals --plangate-env dev`: what becomes a test, what fails it, and what it says."""

import xml.etree.ElementTree as ElementTree
from textwrap import dedent

import pytest

from tests.pytest_plugin.shop import Session, Shop, make_shop

EXPORT_OVER = "evals/gating.yaml::pro/Subscribed/report.export/default[usage=first_over:exports]"
LEAK = "leak: allow (entitled) where the plan says deny (not_in_plan)"
FREE_EXPORT = "evals/gating.yaml::free/Subscribed/report.export/default"


def test_every_cell_is_a_test_with_a_name_a_person_can_select(shop) -> None:
    listed = shop.pytest("evals", "--plangate-env", "dev", "--collect-only", "-q")
    assert listed.status == 0
    assert FREE_EXPORT in listed.out.splitlines()
    assert EXPORT_OVER in listed.out.splitlines()
    passed = shop.pytest("evals", "--plangate-env", "dev")
    assert passed.status == 0, passed.out
    assert passed.counts == {"passed": listed.out.count("evals/gating.yaml::")}
    assert "plangate: suites of environment dev" in passed.out


def test_an_app_that_ends_the_process_is_no_pass(shop) -> None:
    """Asked in pytest's own process: status 0 of the app's would be a pass of the whole session."""
    app = shop.root / "shop_app.py"
    app.write_text(app.read_text() + "\n\ndef evaluate(request):\n    os._exit(0)\n")
    session = shop.pytest("evals", "--plangate-env", "dev")
    assert session.status == 1, session.out
    assert "passed" not in session.counts
    assert "os._exit(0)" in session.out


@pytest.fixture(scope="module")
def leaking(tmp_path_factory) -> tuple[Shop, Session]:
    """A session against an app that gives the free plan what only pro bought."""
    shop = make_shop(tmp_path_factory.mktemp("leaking"))
    arguments = ["evals", "--plangate-env", "dev", "--junitxml", "out.xml"]
    return shop, shop.pytest(*arguments, SHOP_BUG="free_gains_export")


def test_a_leak_fails_its_cells_and_says_why_where_and_how_to_repeat_it(leaking) -> None:
    shop, session = leaking
    assert session.status == 1
    assert FREE_EXPORT in session.nodes("FAILED")
    assert all("free/Subscribed/report.export" in node for node in session.nodes("FAILED"))
    assert LEAK in session.out
    line = (shop.root / "envs/plans/shop/1.0.0.yaml").read_text().splitlines().index(
        "  free: {grants: [kb.search]}"
    ) + 1
    assert f"(rule D6, envs/plans/shop/1.0.0.yaml:{line}:" in session.out
    assert "observed   2 x allow entitled" in session.out
    assert "reproduce  plangate run dev --cell c-" in session.out
    assert "--seed 11" in session.out


def test_a_failure_shows_no_source_code(leaking) -> None:
    assert "Traceback" not in leaking[1].out
    assert ".py:" not in leaking[1].out


def test_the_summary_says_the_verdict(leaking) -> None:
    summary = [line for line in leaking[1].out.splitlines() if line.startswith(f"FAILED {FREE_EXPORT} ")]
    assert summary == [f"FAILED {FREE_EXPORT} - {LEAK}"]


def test_junit_names_and_messages_read_naturally(leaking) -> None:
    cases = list(ElementTree.parse(leaking[0].root / "out.xml").iter("testcase"))
    failed = next(case for case in cases if case.get("name") == FREE_EXPORT.partition("::")[2])
    assert failed.get("classname") == "evals.gating.yaml"
    assert failed.find("failure").get("message") == LEAK


def test_last_failed_runs_what_failed(leaking) -> None:
    shop, session = leaking
    again = shop.pytest("evals", "--plangate-env", "dev", "--lf", "-rp")
    assert again.counts["passed"] == session.counts["failed"] == 2
    assert again.nodes("PASSED") == session.nodes("FAILED")


def test_x_stops_at_the_first_failure(shop) -> None:
    assert shop.pytest("evals", "--plangate-env", "dev", "-x", SHOP_BUG="raises").counts == {"failed": 1}


def test_a_failure_reads_the_same_through_xdist(shop) -> None:
    session = shop.pytest("evals", "--plangate-env", "dev", "-n", "2", SHOP_BUG="free_gains_export")
    assert session.status == 1
    assert LEAK in session.out
    assert "Traceback" not in session.out


def test_without_the_option_yaml_files_are_not_collected(shop) -> None:
    session = shop.pytest("evals")
    assert session.status == 5
    assert "plangate" not in session.out.replace(str(shop.root), "").split("collected")[1]


def test_what_cannot_be_observed_fails_and_is_never_skipped(shop) -> None:
    session = shop.pytest("evals", "--plangate-env", "dev", "-k", "kb.search", SHOP_BUG="raises")
    assert session.status == 1
    assert session.counts.keys() == {"failed", "deselected"}
    assert "error: could not be observed (raised)" in session.out
    assert "the shop is closed" in session.out


def test_an_app_that_hangs_ends_the_run_and_what_was_not_asked_fails(shop) -> None:
    shop.write("envs/dev.yaml", (shop.root / "envs/dev.yaml").read_text().replace("timeout_s: 5", "timeout_s: 0.2"))
    session = shop.pytest("evals", "--plangate-env", "dev", SHOP_BUG="hangs")
    assert session.status == 1
    assert session.counts == {"failed": 16}
    assert "error: could not be observed (timeout)" in session.out
    assert "error: not observed: " in session.out


def test_an_app_that_cannot_be_opened_fails_every_item_with_the_reason(shop) -> None:
    shop.write("envs/dev.yaml", (shop.root / "envs/dev.yaml").read_text().replace(":evaluate", ":missing"))
    session = shop.pytest("evals", "--plangate-env", "dev", "-k", "free")
    assert session.status == 1
    assert session.counts.keys() == {"failed", "deselected"}
    assert "error: could not be judged" in session.out
    assert "[import-failed]" in session.out
    assert "Traceback" not in session.out


def test_a_target_that_check_refuses_is_asked_nothing(shop) -> None:
    manifest = shop.root / "envs" / "dev.yaml"
    manifest.write_text(manifest.read_text().replace("timeout_s: 5}", "timeout_s: 5, url: 'http://127.0.0.1:1'}"))
    session = shop.pytest("evals", "--plangate-env", "dev", "-k", "free")
    assert session.counts.keys() == {"failed", "deselected"}
    assert "[unread-key]" in session.out


def test_only_selected_cells_are_asked_and_each_as_often_as_the_suite_says(shop) -> None:
    log = shop.root / "asked.log"
    session = shop.pytest("evals", "--plangate-env", "dev", "-k", "free and kb.search", SHOP_LOG=str(log))
    assert session.counts["passed"] == 2
    asked = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
    assert sorted(asked) == sorted(["free Subscribed kb.search", "free Suspended kb.search"] * 2)


def test_workers_of_xdist_ask_for_their_own_cells_only(shop) -> None:
    log = shop.root / "asked.log"
    alone = shop.pytest("evals", "--plangate-env", "dev", SHOP_LOG=str(log))
    asked_alone = len(log.read_text().splitlines())
    log.unlink()
    spread = shop.pytest("evals", "--plangate-env", "dev", "-n", "2", SHOP_LOG=str(log))
    assert spread.status == 0, spread.out
    assert spread.counts["passed"] == alone.counts["passed"]
    lines = log.read_text().splitlines()
    assert len(lines) == asked_alone
    assert len({line.split()[0] for line in lines}) == 2


def test_a_large_suite_becomes_one_test_for_each_plan_and_capability(shop) -> None:
    session = shop.pytest("evals", "--plangate-env", "dev", "--plangate-items-max", "3", SHOP_BUG="off_by_one")
    assert session.counts == {"failed": 1, "passed": 3}
    assert session.nodes("FAILED") == ["evals/gating.yaml::pro/report.export"]
    assert "1 leak: 1 of 8 cells" in session.out
    assert "usage first_over:exports" in session.out


def test_a_wrong_document_is_one_message_with_its_place(shop) -> None:
    shop.write("envs/dev.yaml", (shop.root / "envs/dev.yaml").read_text().replace("plans:", "plan:"))
    session = shop.pytest("evals", "--plangate-env", "dev")
    assert session.status == 2
    assert "envs/dev.yaml:" in session.out
    assert "Traceback" not in session.out


def test_an_environment_that_does_not_exist_is_one_message(shop) -> None:
    session = shop.pytest("evals", "--plangate-env", "prod")
    assert session.status == 2
    assert "prod" in session.out
    assert "Traceback" not in session.out


def test_a_suite_outside_the_release_is_left_out_unless_it_is_named(shop) -> None:
    shop.write("evals/other.yaml", (shop.root / "evals/gating.yaml").read_text().replace("name: gating", "name: other"))
    assert "other.yaml" not in shop.pytest("evals", "--plangate-env", "dev", "--collect-only", "-q").out
    named = shop.pytest("evals/other.yaml", "--plangate-env", "dev")
    assert named.status == 2
    assert "suite 'other' is not part of the release in dev" in named.out


def test_a_workspace_elsewhere_is_named_in_the_command_that_repeats_a_cell(shop) -> None:
    (shop.root / "evals").rename(shop.root / "moved")
    inner = shop.root / "inner"
    inner.mkdir()
    for name in ("envs", "shop_app.py"):
        (shop.root / name).rename(inner / name)
    (shop.root / "moved").rename(inner / "evals")
    session = shop.pytest("inner/evals", "--plangate-env", "dev", "-k", "report.export", SHOP_BUG="free_gains_export")
    assert session.status == 1
    assert "--seed 11 -w inner" in session.out


def test_nothing_passes_where_something_else_ran(shop) -> None:
    """Rule R14: a probe that cannot be asked leaves every item undecided, and each says why."""
    manifest = shop.root / "envs/dev.yaml"
    more = (
        '    interaction: {driver: authzen, url: "http://127.0.0.1:9"}\n  probe: {target: interaction, path: /about}\n'
    )
    manifest.write_text(manifest.read_text() + more)
    session = shop.pytest("evals", "--plangate-env", "dev")
    assert session.status == 1
    assert "passed" not in session.counts
    assert "something else ran than the manifest declares" in session.out
    assert "nothing takes connections at 127.0.0.1:9" in session.out


def test_the_session_ends_with_what_it_may_claim_and_what_was_not_tried(shop) -> None:
    said = shop.pytest("evals", "--plangate-env", "dev").out
    assert "dev: no difference found in " in said
    assert "not tried: " in said
    assert "not looked at: effects" in said
    assert "exactly" not in said


def test_a_session_of_refusals_claims_nothing(shop) -> None:
    said = shop.pytest("evals", "--plangate-env", "dev", "-k", "free/Subscribed/report.export").out
    assert "no verdict on the whole, but no cell was expected to be allowed" in said
    assert "not tried: only " in said


def test_a_session_that_asks_no_app_claims_nothing(shop) -> None:
    said = shop.pytest("evals", "--plangate-env", "dev", "--collect-only").out
    assert "not tried" not in said


PRINTS = """
    import subprocess, sys
    print("banner at import")
    honest = evaluate
    def evaluate(request):
        print("PASSED in a call")
        os.write(1, b"raw in a call\\n")
        subprocess.run(["sh", "-c", "echo a child, and its error >&2"])
        return honest(request)
"""
SAID = ("banner at import", "PASSED in a call", "raw in a call", "a child, and its error")


@pytest.mark.parametrize("capture", ["-s", "--capture=fd"])
def test_what_an_app_prints_is_in_a_log_and_never_in_what_pytest_prints(capture: str, shop) -> None:
    shop.write("shop_app.py", (shop.root / "shop_app.py").read_text() + dedent(PRINTS))
    shop.write(
        "test_own.py", "import os\ndef test_own():\n    os.write(1, b'of a test\\n')\n    print('and its print')\n"
    )
    chosen = ["evals", "test_own.py", "--plangate-env", "dev", "-k", "own or free and kb.search"]
    session = shop.pytest(*chosen, capture)
    assert session.counts["passed"] == 3, session.out
    assert [said for said in SAID if said in session.out] == []
    assert "bytes to standard output or error: .plangate/logs/pytest-dev.log" in session.out
    log = (shop.root / ".plangate/logs/pytest-dev.log").read_text()
    assert [said for said in SAID if said not in log] == []
    # What belongs to pytest it gets back: a test that is no cell prints as ever.
    assert ("of a test" in session.out, "and its print" in session.out) == (capture != "--capture=fd", capture == "-s")
    assert shop.pytest(*chosen, capture).status == 0
    assert len((shop.root / ".plangate/logs/pytest-dev.log").read_text()) == len(log)


def test_a_worker_of_xdist_has_a_log_of_its_own(shop) -> None:
    shop.write("shop_app.py", (shop.root / "shop_app.py").read_text() + dedent(PRINTS))
    session = shop.pytest("evals", "--plangate-env", "dev", "-n", "1", "-s", "-k", "free")
    assert session.status == 0, session.out
    assert [said for said in SAID if said in session.out] == []
    assert "raw in a call" in (shop.root / ".plangate/logs/pytest-dev-gw0.log").read_text()
