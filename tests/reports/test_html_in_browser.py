"""The page in a real browser: a fragment opens its square, text stays text, ten thousand cells stay usable."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from plangate.reports.html_report import html_report
from tests.reports.fake_run import NASTY, allowing, nasty_run, run_of

pytestmark = pytest.mark.peer

LEAKY = allowing(
    lambda axes, due: axes["plan"] == "free" and axes["capability"] == "report.export" and due.rule == "D6"
)


@pytest.fixture
def dom(tmp_path: Path):
    """(run, fragment) -> the page's elements after its script ran."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("left out: no chromium here, so the page was not looked at in a browser")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    flags += " --disable-component-update --disable-sync --virtual-time-budget=4000 --dump-dom"

    def load(run, fragment: str) -> str:
        file = tmp_path / "report.html"
        file.write_text(html_report(run), encoding="utf-8")
        command = [chromium, *flags.split(), f"--user-data-dir={tmp_path / 'profile'}", file.as_uri() + fragment]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.stdout, done.stderr[-2000:]
        return done.stdout

    return load


def panel(text: str) -> tuple[str, str]:
    """(opening tag, inner HTML) of the panel that a square opens."""
    found = re.search(r"(<aside[^>]*>)(.*?)</aside>", text, re.DOTALL)
    assert found
    return found[1], found[2]


@pytest.mark.parametrize("fragment", ["#free/report.export", "#free/report.export/Subscribed"])
def test_a_fragment_opens_its_square_with_what_was_expected_why_and_observed(dom, fragment: str) -> None:
    tag, inside = panel(dom(run_of(LEAKY), fragment))
    assert "hidden" not in tag
    assert "free · report.export" in inside
    assert "deny not_in_plan" in inside
    assert "Rule D6. Neither plan" in inside
    assert "envs/plans/support-copilot/3.2.0.yaml:31:14" in inside
    assert "allow entitled, 3 times" in inside
    assert "plangate run stage --cell c-" in inside
    assert inside.count("<li><details>") == 3


@pytest.mark.parametrize("fragment", ["", "#free/unheard.of", "#free/report.export/Nowhere", "#%E0%A4%A"])
def test_any_other_fragment_opens_nothing(dom, fragment: str) -> None:
    tag, _ = panel(dom(run_of(LEAKY), fragment))
    assert "hidden" in tag


def test_hostile_texts_are_shown_and_not_run(dom) -> None:
    from urllib.parse import quote

    name = NASTY[0]
    text = dom(nasty_run(), f"#{quote('free' + name, safe='')}/{quote(name, safe='')}")
    tag, inside = panel(text)
    assert "hidden" not in tag
    assert "allow &lt;script&gt;alert(1)&lt;/script&gt;" in inside
    assert "<img" not in text
    assert text.count("<script") == 2


def test_ten_thousand_cells_open_a_square_within_the_time_of_a_small_page(dom) -> None:
    names = [f"area{number % 8}.action_{number}" for number in range(40)]
    plans = ["free", "starter", "team", "pro", "business", "enterprise"]
    run = run_of(LEAKY, plans=plans, capabilities=names, phrasings=["a", "b", "c", "d"])
    _, inside = panel(dom(run, "#team/area3.action_11/Subscribed"))
    assert "12 cells" in inside
