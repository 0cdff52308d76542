"""Every benchmark runs at its tiny size, says what it measured, and leaves nothing out in silence."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.machine import cores

ROOT = Path(__file__).resolve().parents[2]
SERVER = ("httptools", "uvicorn", "uvloop")
TARGETS = {
    "in_process": 1,
    "passes": 1,
    "workers": 1,
    "over_http": 1,
    "memory": 4,
    "startup": 2,
    "check_catalog": 1,
    "expansion": 1,
    "decision_diff": 1,
    "status": 1,
    "verify_bundle": 1,
    "ledger": 1,
}
"""Benchmark -> how many of its figures have a target at the tiny size."""


def run_benchmark(
    *arguments: str, out: Path, environ: dict[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[str], dict]:
    """Exit status, output, and what was stored."""
    bare = {name: value for name, value in os.environ.items() if name not in ("INSPECT", "PROMPTFOO_HOME", "NODE_BIN")}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", *arguments, "--tiny", "--out", str(out)],
        cwd=ROOT,
        env=bare | (environ or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "BROKEN" not in done.stderr, done.stderr
    return done, json.loads((out / f"{arguments[0]}.json").read_text())


def require_server() -> None:
    missing = [name for name in SERVER if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"left out: {', '.join(missing)} absent: pip install --group bench")


@pytest.mark.parametrize("name", TARGETS)
def test_a_benchmark_says_what_it_measured_and_what_that_must_reach(tmp_path: Path, name: str) -> None:
    if name == "over_http":
        require_server()
    if name == "workers" and len(cores()) < 2:
        pytest.skip("left out: two workers need two cores")
    done, stored = run_benchmark(name, out=tmp_path)
    figures = stored["figures"]
    assert sum(figure["target"] is not None for figure in figures) == TARGETS[name]
    assert all(math.isfinite(figure["value"]) and figure["plangate"] and figure["shown"] for figure in figures)
    assert done.returncode == int(any(figure["reached"] is False for figure in figures))
    assert stored["rounds"]
    assert stored["machine"]["cores"] >= 1
    assert all(figure["what"] in done.stderr for figure in figures)
    rows = [line.split(" | ")[0].removeprefix("| ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows[1:] == [figure["what"] for figure in figures]  # the table, after its heading


def test_peers_that_are_absent_are_left_out_loudly(tmp_path: Path) -> None:
    require_server()
    done, stored = run_benchmark("peers", out=tmp_path)
    assert [text.partition(":")[0] for text in stored["left_out"]] == ["promptfoo", "Inspect AI"]
    assert "LEFT OUT: promptfoo: " in done.stderr
    assert "LEFT OUT: Inspect AI: " in done.stderr
    assert stored["figures"] == []
    assert [one["plangate"]["requests"] for one in stored["rounds"]] == [18]  # 2 capabilities, 3 plans, 3 surfaces


def test_every_benchmark_is_tried_here() -> None:
    assert {*TARGETS, "peers"} == {*BENCHMARKS}


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", "in_proces"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no benchmark is called in_proces" in done.stderr
