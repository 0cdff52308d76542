"""SIGTERM ends every verb that observes as it ends `run`: 130, nothing left running, nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.promotions import OBSERVING
from tests.cli.shops import SUITE, start_plangate


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


class _Holding(BaseHTTPRequestHandler):
    """Tells what it runs; at the look of number `hold` nobody gets an answer any more."""

    hold = looks = 0
    held, over = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        kind = type(self)
        kind.looks += 1
        if kind.looks == kind.hold:
            kind.held.set()
            kind.over.wait(60)
            return
        body = json.dumps({"app": {"name": "shop", "version": "1.0.2"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("processes", "hold"), [(1, 2), (2, 2), (2, 4)], ids=["here", "first worker", "last worker"])
def test_sigterm_between_the_last_observation_and_the_second_look_signs_nothing(
    processes: int, hold: int, moved: Path, tmp_path: Path
) -> None:
    """Every cell was observed as sold, and nobody knows yet whether it was still the same app."""
    root, askers, scratch = Path(shutil.copytree(moved, tmp_path / "shop")), tmp_path / "askers", tmp_path / "scratch"
    scratch.mkdir()
    suite, stage, app = root / "evals" / "gating.yaml", root / "envs" / "stage.yaml", root / "shop_app.py"
    one_surface = SUITE.replace("surface: all", "surface: [default]")
    suite.write_text(one_surface.replace("processes: 1", f"processes: {processes}"))
    app.write_text(app.read_text().replace("time.sleep(0.05)", "pass"))
    handler = type("Handler", (_Holding,), {"hold": hold, "held": threading.Event(), "over": threading.Event()})
    before = {path.name for path in (root / "evidence").rglob("*")}
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        telling = f"    interaction: {{driver: authzen, url: 'http://127.0.0.1:{server.server_port}', timeout_s: 60}}\n"
        probe = "  probe: {target: interaction, path: /about, untold: [model, plans]}\n"
        stage.write_text(stage.read_text().replace("gates:", f"{telling}{probe}gates:"))
        environ = {"ASKERS": str(askers), "TMPDIR": str(scratch)}
        process = start_plangate(*OBSERVING["validate"], "--json", cwd=root, environ=environ)
        try:
            assert handler.held.wait(60), process.communicate(timeout=60)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        finally:
            handler.over.set()
            server.shutdown()
            thread.join()
    assert (process.returncode, "Traceback" in err) == (130, False), err
    assert json.loads(out)["error"]["code"] == "interrupted"
    observed = askers.read_text().split()
    assert len(observed) == 2 * 2 * (4 + 1 + 1) * hold // processes, "all cells, in each pass until then"
    assert [one for one in {int(line) for line in observed} if _alive(one)] == []
    candidates = root / ".plangate" / "candidates"
    assert list(candidates.iterdir() if candidates.exists() else ()) == []
    assert list(scratch.iterdir()) == []
    assert {path.name for path in (root / "evidence").rglob("*")} == before


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
