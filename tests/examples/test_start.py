"""How the reference app starts, and what keeps it from starting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.running import ROOT

APP = ROOT / "examples" / "support-copilot"


def start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "copilot", "--port", "1", *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(APP), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"COPILOT_PLANS": "9.9.9"}, "9.9.9.json"),
        ({"COPILOT_PROMPTS": "triage"}, "COPILOT_PROMPTS: 'triage' is not name=version"),
        ({"COPILOT_PROMPTS": "triage=7.7.7"}, "prompt prompts/triage/7.7.7.md cannot be read"),
        ({"COPILOT_STEPS_MAX": "many"}, "COPILOT_STEPS_MAX: 'many' is not a whole number"),
        ({"COPILOT_KB": "1999-01-01"}, "1999-01-01.json"),
        ({"COPILOT_CLOCK": "2026-01-01T00:00:00Z"}, "COPILOT_CLOCK"),
        ({"COPILOT_CLOCK": "noon", "COPILOT_TEST_API": "1"}, "noon"),
        ({"COPILOT_DATABASE": "/nowhere/at/all.sqlite"}, "/nowhere/at/all.sqlite"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], said: str) -> None:
    ended = start(**environ)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_tenants_are_never_arranged_from_elsewhere() -> None:
    ended = start("--host", "0.0.0.0", COPILOT_TEST_API="1")
    assert ended.returncode == 2
    assert "loopback" in ended.stderr


def test_the_decision_point_needs_no_server() -> None:
    """Calling `evaluate` in process loads neither starlette nor uvicorn nor sqlite."""
    script = "import sys, copilot.pdp; print(sorted({'starlette', 'uvicorn'} & set(sys.modules)))"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(APP)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert ended.stdout.strip() == "[]"


def test_no_prompt_is_welded_to_the_code() -> None:
    words = {
        line.strip()
        for prompt in (ROOT / "prompts").glob("*/*.md")
        for line in prompt.read_text(encoding="utf-8").split("\n---\n", 1)[1].splitlines()
        if len(line.strip()) > 30
    }
    assert words
    sources = "\n".join(path.read_text(encoding="utf-8") for path in Path(APP).rglob("*.py"))
    assert [line for line in words if line in sources] == []
