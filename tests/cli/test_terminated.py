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
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.promotions import by, plan_of
from tests.cli.promotions import plangate as in_process
from tests.cli.shops import SUITE, start_plangate
from tests.evidence.bundles import publish
from tests.promotion.stages import make_stages

# Tells who asks, and takes its time where it is told to.
SLOW = """
    import os, time
    honest = evaluate
    def evaluate(request):
        if "ASKERS" in os.environ:
            with open(os.environ["ASKERS"], "a") as askers:
                askers.write(f"{os.getpid()}\\n")
            time.sleep(0.05)
        return honest(request)
"""
FRESH = SUITE.replace("processes: 1", "processes: 2")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """An app that tells what it runs, and no more."""

    class Telling(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"app": {"name": "shop", "version": "1.0.0"}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Telling) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory, address: str) -> Path:
    """stage went from app 1.0.0 to 1.0.1, dev has another one to promote, and prod can be asked for drift."""
    root = make_stages(tmp_path_factory.mktemp("moved"), app=SLOW)
    (root / "evals" / "gating.yaml").write_text(FRESH)
    dev, prod = root / "envs" / "dev.yaml", root / "envs" / "prod.yaml"
    dev.write_text(dev.read_text().replace("shop: 1.1.0", "shop: 1.0.0").replace("name: shop, version: 1.0.0}\n  model",
                   "name: shop, version: 1.0.1}\n  model"))  # fmt: skip
    assert "1.0.1" in dev.read_text()
    plan = plan_of(root, "promote", "stage")["plan"]
    assert in_process(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
    dev.write_text(dev.read_text().replace("version: 1.0.1", "version: 1.0.2"))
    decide = "[{when: {status: 200}, effect: allow, reason: entitled}]"
    telling = (
        f"    interaction: {{driver: http, url: '{address}', request: {{method: GET, path: /}}, decide: {decide}}}\n"
    )
    prod.write_text(
        prod.read_text().replace("gates:", f"{telling}  probe: {{target: interaction, path: /version}}\ngates:")
    )
    return root


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("published")).bundle


VERBS = {
    "run": ["run", "dev"],
    "validate": ["promote", "stage", "--validate", "--key", "keys/ci.key", "--as", "ci"],
    "present": ["promote", "stage", "--validate", "--present", "--key", "keys/ci.key", "--as", "ci"],
    "drill": ["rollback", "stage", "--drill", "--key", "keys/ci.key", "--as", "ci"],
    "drift": ["drift", "prod"],
    "reproduce": ["reproduce", "BUNDLE", "--bindings", "mine.yaml"],
}


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("verb", VERBS)
def test_sigterm_is_130_and_leaves_nothing(verb: str, moved: Path, bundle: Path, tmp_path: Path) -> None:
    root, askers, scratch = Path(shutil.copytree(moved, tmp_path / "shop")), tmp_path / "askers", tmp_path / "scratch"
    scratch.mkdir()
    (root / "mine.py").write_text((root / "shop_app.py").read_text())
    (root / "mine.yaml").write_text('{targets: {default: {driver: python, object: "mine:evaluate", timeout_s: 1}}}')
    arguments = [str(bundle) if word == "BUNDLE" else word for word in VERBS[verb]]
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
