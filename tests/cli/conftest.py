"""Workspaces in which every verb that observes has something to observe."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.promotions import by, plan_of, plangate
from tests.cli.shops import SUITE
from tests.evidence.bundles import publish
from tests.promotion.stages import make_stages

# Tells who asks, and takes its time where it is told to.
SLOW = """
    import os, time
    unhurried = evaluate
    def evaluate(request):
        if "ASKERS" in os.environ:
            with open(os.environ["ASKERS"], "a") as askers:
                askers.write(f"{os.getpid()}\\n")
            time.sleep(0.05)
        return unhurried(request)
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
    assert plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
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
