"""`plan_matrix`: a test in code is run once for each cell it asks for, and never for none."""

TESTS = """
import pytest
from shop_app import evaluate

seen = []


@pytest.mark.plan_matrix(env="dev", suite="gating", plan=["free", "pro"], capability="report.export")
def test_gate(plan_cell):
    answer = evaluate(plan_cell.request)
    assert answer["context"]["effect"] == plan_cell.expected.effect
    assert plan_cell.axes["capability"] == "report.export"
    assert plan_cell.subject.plan in ("free", "pro")
    plan_cell.request["subject"] = None
    assert plan_cell.request["subject"] is not None
"""


def test_a_test_runs_once_for_each_cell(shop) -> None:
    shop.write("test_gate.py", TESTS)
    session = shop.pytest("test_gate.py", "-v")
    assert session.status == 0, session.out
    assert "test_gate[free/Subscribed/report.export/default] PASSED" in session.out
    assert "test_gate[pro/Subscribed/report.export/default[usage=first_over:exports]] PASSED" in session.out
    assert "kb.search" not in session.out


def test_it_finds_the_leak_in_code(shop) -> None:
    shop.write("test_gate.py", TESTS)
    session = shop.pytest("test_gate.py", SHOP_BUG="off_by_one")
    assert session.counts["failed"] == 1
    assert "first_over:exports" in session.nodes("FAILED")[0]


def test_a_marker_that_selects_nothing_is_an_error_that_says_what_to_change(shop) -> None:
    wrong = {
        "plan='gold'": "selects no cell",
        "plans='free'": "did you mean 'plan'?",
        "suite='none'": "no suite 'none'",
    }
    for number, keyword in enumerate(wrong):
        body = f"@pytest.mark.plan_matrix(env='dev', {keyword})\ndef test_it(plan_cell): pass\n"
        shop.write(f"test_wrong_{number}.py", f"import pytest\n{body}")
    shop.write("test_wrong_3.py", "import pytest\n@pytest.mark.plan_matrix(env='dev')\ndef test_it(): pass\n")
    shop.write(
        "test_wrong_4.py", "import pytest\n@pytest.mark.plan_matrix(plan='free')\ndef test_it(plan_cell): pass\n"
    )
    session = shop.pytest()
    assert session.status == 2
    for message in [*wrong.values(), "does not take plan_cell", "needs env='NAME'"]:
        assert message in session.out
    assert "Traceback" not in session.out


def test_the_fixture_without_the_marker_says_what_is_missing(shop) -> None:
    shop.write("test_lost.py", "def test_it(plan_cell): pass\n")
    session = shop.pytest("test_lost.py")
    assert session.status == 1
    assert "plan_cell needs a marker" in session.out


def test_too_many_cells_are_refused_with_the_number(shop) -> None:
    shop.write("test_gate.py", TESTS)
    session = shop.pytest("test_gate.py", "--plangate-items-max", "2")
    assert session.status == 2
    assert "narrow it, or raise" in session.out
