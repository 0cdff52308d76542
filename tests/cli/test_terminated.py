"""SIGTERM ends every verb that observes as it ends `run`: 130, nothing left running, nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.promotions import OBSERVING
from tests.cli.shops import start_plangate


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("verb", OBSERVING)
def test_sigterm_is_130_and_leaves_nothing(verb: str, moved: Path, bundle: Path, tmp_path: Path) -> None:
    root, askers, scratch = Path(shutil.copytree(moved, tmp_path / "shop")), tmp_path / "askers", tmp_path / "scratch"
    scratch.mkdir()
    (root / "mine.py").write_text((root / "shop_app.py").read_text())
    (root / "mine.yaml").write_text('{targets: {default: {driver: python, object: "mine:evaluate", timeout_s: 1}}}')
    arguments = [str(bundle) if word == "BUNDLE" else word for word in OBSERVING[verb]]
    process = start_plangate(*arguments, "--json", cwd=root, environ={"ASKERS": str(askers), "TMPDIR": str(scratch)})
    deadline = time.monotonic() + 60
    while not askers.exists() or askers.stat().st_size < 20:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert json.loads(out).get("error", {}).get("code", "interrupted") == "interrupted"
    assert [one for one in {int(line) for line in askers.read_text().split()} if _alive(one)] == []
    candidates = root / ".plangate" / "candidates"
    assert list(candidates.iterdir() if candidates.exists() else ()) == []
    assert list(scratch.iterdir()) == []
    assert len(list((root / "evidence" / "ledger").glob("*"))) == len(list((moved / "evidence" / "ledger").glob("*")))


_SLEEPS = """
import sys, time
from plangate.cli.entry import start
from plangate.documents.workspace import Workspace
def reading(path):
    print("reading", file=sys.stderr, flush=True)
    time.sleep(60)
Workspace.open = reading
sys.argv = ["plangate", "runs"]
start()
"""


def test_sigterm_where_nothing_is_observed_is_130_too() -> None:
    process = subprocess.Popen([sys.executable, "-c", _SLEEPS], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "reading\n"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (130, False)
