"""Markdown for a pull request: short, true, and inert whatever the app wrote."""

from __future__ import annotations

import re

import pytest

from plangate.reports import markdown_report
from plangate.reports.markdown import BYTES_MAX
from tests.reports.fake_run import NASTY, FakeRun, allowing, failed, nasty_run, right, run_of, with_header


def test_a_leak_stands_in_the_first_lines_with_its_table_and_command() -> None:
    run = run_of(
        allowing(
            lambda axes, due: axes["plan"] == "free" and axes["capability"] == "report.export" and due.rule == "D6"
        )
    )
    lines = markdown_report(run).splitlines()
    assert lines[0] == "### ❌ plangate stage: Failed: 3 leaks in 396 cells"
    assert lines[2] == "- **free can use report.export at all 3 surfaces** (3 cells)"
    assert "| `Subscribed` | `free` | `pro` | `enterprise` |" in lines
    assert "| `report.export` | ❗ **leak** | ✓ | ✓ |" in lines
    assert "- expected `deny not_in_plan`, rule D6, `envs/plans/support-copilot/3.2.0.yaml:31:14`" in lines
    assert any(line.startswith("plangate run stage --cell c-") for line in lines)
    assert lines[-1].startswith("<sub>396 of 396 cells · 1,188 observations · 9.2 s · suites gating 5")


def test_a_pass_is_short() -> None:
    text = markdown_report(run_of(right))
    assert text.startswith("### ✅ plangate stage: Passed: no difference found in 396 cells\n")
    assert "<details open>" not in text


def test_an_unfinished_run_is_no_pass() -> None:
    text = markdown_report(with_header(FakeRun(run_of(right).held[:9], missing=5), stopped="interrupted"))
    assert text.startswith(
        "### ⚠️ plangate stage: Undecided: 5 of 14 cells were not observed in every pass\n\n"
        "The run was stopped: interrupted"
    )


def many_causes() -> FakeRun:
    """A different fault at each capability, and names as long as they may be."""
    names = [f"capability.{'x' * 60}.{chr(97 + n // 20)}{chr(97 + n % 20)}" for n in range(300)]
    plans = [f"plan-{'y' * 40}-{n}" for n in range(10)]

    def app(axes, due):
        text = "".join(chr(97 + int(digit)) for digit in str(names.index(axes["capability"])))
        return (failed(("raised", "timeout", "closed")[len(text) % 3], f"{text} " * 30),)

    return run_of(app, capabilities=names, plans=plans, states=["Subscribed"], surfaces=["tool"])


def test_it_never_exceeds_what_a_comment_may_hold() -> None:
    run = many_causes()
    text = markdown_report(run)
    assert len(text.encode()) <= BYTES_MAX
    assert text.rstrip().endswith("</sub>")


def test_what_is_cut_is_said() -> None:
    run = run_of(allowing(lambda axes, due: due.rule == "D6"))
    text = markdown_report(run, bytes_max=1_500)
    assert len(text.encode()) <= 1_500
    assert "`plangate show r-20260102-7f3a` shows all" in text


def test_hostile_texts_are_inert() -> None:
    text = markdown_report(nasty_run())
    outside = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", text)
    assert "code" in text
    assert outside != text
    for tag in ("<script", "<img", "<!--"):
        assert tag not in outside
    assert "@everyone" not in outside
    assert "\x1b" not in text
    assert text.isprintable() or all(character.isprintable() or character in "\n\u200b\ufffd" for character in text)


@pytest.mark.parametrize("text", NASTY)
def test_no_text_leaves_its_code_span_or_its_table_row(text: str) -> None:
    from plangate.reports.markdown import _cell, _code

    for span in (_code(text), _cell(text), _code(f"`{text}``"), _cell(f"{text}|``|")):
        fence = span[: len(span) - len(span.lstrip("`"))]
        assert span.endswith(fence)
        assert fence not in span[len(fence) : -len(fence)].strip() or "`" * (len(fence) + 1) in span
        assert "\n" not in span
    assert "|" not in _cell("a|b").replace("\\|", "")
