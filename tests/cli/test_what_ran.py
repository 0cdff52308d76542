"""Rule R14: a verdict is about what ran. Where an app tells what it runs, it is asked before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from tests.cli.shops import ENVIRONMENT, SUITE, make_shop, run_json
from tests.drivers.servers import serving

PROBE = "  probe: {target: interaction, path: /about, untold: [model, plans]}\n"
ONE_SURFACE = SUITE.replace("surface: all", "surface: [default]").replace("processes: 1", "processes: {processes}")
RIGHT = {"app": {"name": "shop", "version": "1.0.0"}}
WRONG = {"app": {"name": "shop", "version": "1.0.1"}}
LEAKING = 'GRANTS["free"].add("report.export")\n'


class About:
    """Tells what it runs: each answer once, the last for ever. None is an answer that nobody can read."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        said = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        status, body = (200, json.dumps(said).encode()) if said is not None else (500, b"")
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


def _shop(root: Path, url: str, *, app: str = "", processes: int = 1, probe: str = PROBE) -> Path:
    interaction = f'driver: authzen, url: "{url}"'
    targets = f"    interaction: {{{interaction}}}\n"
    suite = ONE_SURFACE.replace("{processes}", str(processes))
    return make_shop(root, app=app, environment=ENVIRONMENT + targets + probe, suite=suite)


def _ran(root: Path, *arguments: str) -> tuple[int, str, tuple[str, ...]]:
    status, document = run_json(root, *arguments)
    with StoredRun(RunFolder(root).find(document["run"])) as run:
        return status, run.header.ran, run.header.ran_differences


@pytest.mark.parametrize(
    ("answers", "status", "ran", "sentence"),
    [
        ((RIGHT,), 0, "as declared", ""),
        ((WRONG,), 3, "differs", "app.version: pinned 1.0.0, runs 1.0.1"),
        ((RIGHT, WRONG), 3, "differs", "app.version: pinned 1.0.0, runs 1.0.1"),
        ((RIGHT, RIGHT | {"tools": {}, "model": {"system_fingerprint": "fp_2"}}), 3, "differs", "told something else"),
        ((None,), 3, "differs", "answers 500"),
        ((RIGHT, None), 3, "differs", "answers 500"),
        (({"app": {"name": "shop"}},), 3, "differs", "app.version: pinned 1.0.0, and the app says nothing of it"),
    ],
)
def test_what_ran_is_asked_before_and_after(
    tmp_path: Path, answers: tuple[Any, ...], status: int, ran: str, sentence: str
) -> None:
    about = About(*answers)
    with serving(about) as url:
        found = _ran(_shop(tmp_path, url))
    assert found[:2] == (status, ran)
    assert about.asked == 2
    assert any(sentence in one for one in found[2]) == bool(sentence)


def test_processes_of_a_run_each_ask_and_one_difference_counts(tmp_path: Path) -> None:
    about = About(RIGHT, RIGHT, RIGHT, RIGHT, WRONG)
    with serving(about) as url:
        root = _shop(tmp_path, url, processes=2)
        assert _ran(root)[:2] == (0, "as declared")
        assert about.asked == 4, "two passes, each in a process of its own that opens the app"
        assert _ran(root)[:2] == (3, "differs")


def test_a_leak_fails_whatever_ran(tmp_path: Path) -> None:
    with serving(About(WRONG)) as url:
        assert _ran(_shop(tmp_path, url, app=LEAKING))[:2] == (1, "differs")


def test_without_a_probe_nobody_says_what_ran(tmp_path: Path) -> None:
    assert _ran(_shop(tmp_path, "http://127.0.0.1:1", probe=""))[:2] == (0, "not checked")


LAUNCHED = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
sys.path.insert(0, os.getcwd())
from shop_app import evaluate


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        told = {"app": {"name": "shop", "version": "1.0.0"}}
        self.reply(told, status=200 if self.path == "/about" else 404)

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.reply(evaluate(request))

    def reply(self, body, status=200):
        with open("served.log", "a") as log:
            log.write(f"{self.command} {os.getpid()}\\n")
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_): ...


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
"""


def test_a_launched_app_is_asked_in_the_process_that_is_observed(tmp_path: Path) -> None:
    launched = '{driver: authzen, launch: {command: [python, serve.py, "{port}"]}, batch: 1}'
    environment = ENVIRONMENT.replace('{driver: python, object: "shop_app:evaluate", timeout_s: 1}', launched)
    probe = PROBE.replace("interaction", "default")
    root = make_shop(tmp_path, environment=environment + probe, suite=ONE_SURFACE.replace("{processes}", "1"))
    (root / "serve.py").write_text(LAUNCHED, "utf-8")
    assert _ran(root)[:2] == (0, "as declared")
    served = [line.split() for line in (root / "served.log").read_text("utf-8").splitlines()]
    assert len({pid for verb, pid in served if verb == "POST"}) == 1
    assert {pid for _, pid in served} == {pid for verb, pid in served if verb == "POST"}
