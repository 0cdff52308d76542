"""Apps that plangate starts: ready before they are asked, watched while they run, gone afterwards, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from plangate.documents.environment import HttpCall, Launch, Target
from plangate.drivers.http import HttpDriver
from plangate.drivers.launch import _until_ready
from plangate.drivers.processes import Process
from plangate.drivers.redaction import Redactor
from plangate.entitlements.decision import Effect
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault
from tests.drivers.servers import closed_port, serving
from tests.drivers.workspaces import REQUEST, context_in, write_module

# Answers every POST with an allow whose reason is what the environment variable named in the path holds.
APP = """
import json, os, signal, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.say({"/healthz": 200, "/moved": 302}.get(self.path, 503), {})

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/die":
            print("dying now", flush=True)
            os._exit(7)
        self.say(200, {"decision": True, "context": {"reason": os.environ.get(self.path[1:], "unset")}})

    def say(self, status, found):
        raw = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(raw)))
        if status == 302:
            self.send_header("location", "/login?next=" + self.path)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *about):
        print("served", self.path, os.environ.get("KEY"), flush=True)

if "--stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "--with-child" in sys.argv:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open("pids", "w").write(f"{os.getpid()} {child.pid}")
server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.serve_forever()
"""
COMMAND = ("python", "app.py", "{port}")
SECRET = "s3cr3t-of-the-app"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    write_module(tmp_path, "app", APP)
    return tmp_path


@contextlib.asynccontextmanager
async def launched(workspace: Path, launch: Launch, **fields: Any) -> AsyncIterator[HttpDriver]:
    environ = {"PATH": os.environ["PATH"], **fields.pop("environ", {})}
    context = {name: fields.pop(name) for name in ("secrets", "hash_seed", "log") if name in fields}
    driver = HttpDriver(
        Target(driver="http", launch=launch, **fields), context_in(workspace, environ=environ, **context)
    )
    try:
        await driver.open()
        yield driver
    finally:
        await driver.close()
        await driver.close()


def reason_for(workspace: Path, variable: str, **fields: Any) -> str | None:
    """What a launched app has in one environment variable."""
    launch = Launch(command=COMMAND, ready="/healthz", env=fields.pop("env", {}))
    request = HttpCall(method="POST", path=f"/{variable}", json="{request}")

    async def once() -> str | None:
        async with launched(workspace, launch, request=request, **fields) as driver:
            observed = await driver.observe(REQUEST)
            assert observed.effect is Effect.ALLOW, observed
            return observed.reason

    return asyncio.run(once())


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def eventually(condition: Callable[[], bool], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_an_app_is_launched_on_a_free_port_asked_and_stopped(workspace: Path) -> None:
    async def scenario() -> None:
        async with launched(workspace, Launch(command=(*COMMAND, "--with-child"), ready="/healthz")) as driver:
            observed = await driver.observe(REQUEST)
            assert observed.effect is Effect.ALLOW
            assert driver.alive()
            pids = [int(pid) for pid in (workspace / "pids").read_text().split()]
            assert all(map(is_running, pids))
        assert not any(map(is_running, pids)), "the app or its child outlived close()"

    asyncio.run(scenario())


def test_without_a_ready_path_the_port_is_waited_for(workspace: Path) -> None:
    async def scenario() -> None:
        async with launched(workspace, Launch(command=COMMAND)) as driver:
            assert (await driver.observe(REQUEST)).effect is Effect.ALLOW

    asyncio.run(scenario())


def test_the_hash_seed_and_variables_reach_the_app(workspace: Path) -> None:
    assert reason_for(workspace, "PYTHONHASHSEED", hash_seed=42) == "42"
    assert reason_for(workspace, "GIVEN", environ={"GIVEN": "by the context"}) == "by the context"
    made = reason_for(workspace, "MADE", env={"MADE": "port of {secret.word}"}, secrets={"word": "s3cr3t"})
    assert made == "port of [redacted]"
    assert reason_for(workspace, "TAKEN", env={"TAKEN": "env:GIVEN"}, environ={"GIVEN": "{port}"}) == "{port}"


def test_variables_of_this_process_do_not_leak_into_the_app(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIDDEN", "from the process")
    assert reason_for(workspace, "HIDDEN") == "unset"


def failure(workspace: Path, launch: Launch, **fields: Any) -> DriverError:
    async def scenario() -> DriverError:
        with pytest.raises(DriverError) as caught:
            async with launched(workspace, launch, **fields):
                pass
        return caught.value

    return asyncio.run(scenario())


def test_an_app_that_ends_at_once_is_said_at_once_with_its_last_lines(workspace: Path) -> None:
    write_module(workspace, "broken", f"import sys\nprint('key {SECRET}')\nsys.exit('no database')")
    started = time.monotonic()
    error = failure(workspace, Launch(command=("python", "broken.py"), timeout_s=20), secrets={"key": SECRET})
    assert time.monotonic() - started < 5
    assert error.code == "launch-failed"
    assert "exit status 1" in str(error)
    assert "no database" in str(error)
    assert "key [redacted]" in str(error)


def test_a_program_that_does_not_exist_is_said(workspace: Path) -> None:
    error = failure(workspace, Launch(command=("no-such-program-anywhere", "{port}")))
    assert error.code == "launch-failed"
    assert "no-such-program-anywhere" in str(error)


@pytest.mark.parametrize("ready", [None, "/never"])
def test_an_app_that_never_gets_ready_is_given_up_and_stopped(workspace: Path, ready: str | None) -> None:
    write_module(workspace, "sleeper", "import os, time\nopen('pids', 'w').write(str(os.getpid()))\ntime.sleep(60)")
    command = COMMAND if ready else ("python", "sleeper.py")
    error = failure(workspace, Launch(command=command, ready=ready, timeout_s=3))
    assert error.code == "launch-timeout"
    assert "not ready after 3 s" in str(error)
    if ready is None:
        assert not is_running(int((workspace / "pids").read_text()))
    else:
        assert "answers 503" in str(error)


def test_an_app_that_redirects_is_not_ready(workspace: Path) -> None:
    error = failure(workspace, Launch(command=COMMAND, ready="/moved", timeout_s=3))
    assert error.code == "launch-timeout"
    assert "/moved answers 302" in str(error)
    assert "/login?next=/moved" in str(error)
    error = failure(workspace, Launch(command=COMMAND, ready="/moved", timeout_s=3), secrets={"path": "next=/moved"})
    assert "/login?[redacted]" in str(error)


def test_a_port_that_somebody_else_serves_is_refused(workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        error = failure(workspace, Launch(command=COMMAND), url=url)
    assert error.code == "port-in-use"


def test_an_app_that_dies_mid_run_is_no_longer_alive(workspace: Path) -> None:
    request = HttpCall(method="POST", path="/{action.name}", json="{request}")

    async def scenario() -> None:
        async with launched(workspace, Launch(command=COMMAND, ready="/healthz"), request=request) as driver:
            assert (await driver.observe(REQUEST)).effect is Effect.ALLOW
            assert driver.alive()
            dying = {**REQUEST, "action": {"name": "die"}}
            assert (await driver.observe(dying)).fault is Fault.CLOSED
            deadline = time.monotonic() + 5
            while driver.alive() and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            assert not driver.alive()
            assert (await driver.observe(REQUEST)).fault is Fault.UNREACHABLE

    asyncio.run(scenario())


def test_an_app_that_ignores_the_polite_signal_is_killed(workspace: Path) -> None:
    async def scenario() -> float:
        async with launched(workspace, Launch(command=(*COMMAND, "--stubborn"), ready="/healthz")) as driver:
            await driver.observe(REQUEST)
            started = time.monotonic()
        return time.monotonic() - started

    assert 2.5 < asyncio.run(scenario()) < 6


def test_the_log_holds_the_output_without_secrets(workspace: Path, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "app.log"
    reason_for(workspace, "X", log=log, secrets={"key": SECRET}, env={"KEY": "{secret.key}"})
    text = log.read_text()
    assert "served /X [redacted]" in text
    assert SECRET not in text


def test_the_log_holds_no_member_of_a_secret_and_nothing_given_under_the_name_of_one(
    workspace: Path, tmp_path: Path
) -> None:
    account = '{"type": "service_account", "client_secret": "qT7zz-plum-9921vv"}'
    given = [
        ({"KEY": "qT7zz-plum-9921vv"}, "[redacted]"),
        ({"KEY": "service_account"}, "service_account"),
        ({"KEY": "env:APP_TOKEN"}, "[redacted]"),
        ({"KEY": "env:APP_MODE"}, "a-mode-of-it"),
    ]
    for number, (env, said) in enumerate(given):
        log = tmp_path / f"{number}.log"
        environ = {"APP_TOKEN": "pears-and-plums", "APP_MODE": "a-mode-of-it"}
        reason_for(workspace, "X", log=log, secrets={"account": account}, env=env, environ=environ)
        assert f"served /X {said}" in log.read_text()


# --- which address ---------------------------------------------------------------------------------------------------


async def reference(scope: Any, receive: Any, send: Any) -> None:
    body = b'{"decision": false}'
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"19")]})
    await send({"type": "http.response.body", "body": body})


def test_a_url_in_the_environment_means_an_app_that_runs_already(workspace: Path) -> None:
    async def scenario(url: str) -> Effect | None:
        launch = Launch(command=("python", "no-such-file.py"))
        async with launched(workspace, launch, url="env:APP_URL", environ={"APP_URL": url}) as driver:
            return (await driver.observe(REQUEST)).effect

    with serving(reference) as url:
        assert asyncio.run(scenario(url)) is Effect.DENY


def test_a_url_that_is_not_in_the_environment_means_the_launched_app(workspace: Path) -> None:
    async def scenario(**fields: Any) -> Effect | None:
        async with launched(workspace, Launch(command=COMMAND, ready="/healthz"), **fields) as driver:
            return (await driver.observe(REQUEST)).effect

    assert asyncio.run(scenario(url="env:APP_URL")) is Effect.ALLOW
    assert asyncio.run(scenario(url="http://localhost:{port}/base/")) is Effect.ALLOW
    assert asyncio.run(scenario(url=f"http://127.0.0.1:{closed_port()}")) is Effect.ALLOW


@pytest.mark.parametrize(
    ("launch", "code"),
    [
        (Launch(command=()), "incomplete-target"),
        (Launch(command=("python", "{prot}")), "unknown-placeholder"),
        (Launch(command=COMMAND, env={"A": "env:GONE"}), "missing-environment-variable"),
        (Launch(command=COMMAND, env={"A": "{secret.gone}"}), "unknown-placeholder"),
    ],
)
def test_what_is_wrong_with_a_launch_is_said_before_anything_starts(workspace: Path, launch: Launch, code: str) -> None:
    with pytest.raises(InputError) as caught:
        HttpDriver(Target(driver="http", launch=launch), context_in(workspace))
    assert caught.value.code == code


# --- no orphans ------------------------------------------------------------------------------------------------------


HARNESS = """
import asyncio, pathlib, sys
from plangate.documents.environment import Launch, Target
from plangate.drivers.http import HttpDriver
from plangate.drivers.launch import _until_ready
from plangate.drivers.processes import Process
from plangate.drivers.redaction import Redactor
from plangate.drivers.protocol import DriverContext

async def main():
    launch = Launch(command=("python", "app.py", "{port}", "--with-child"), ready="/healthz")
    context = DriverContext(workspace=pathlib.Path(sys.argv[1]), environ={})
    driver = HttpDriver(Target(driver="http", launch=launch), context)
    await driver.open()
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_harness_that_is_killed(workspace: Path, how: signal.Signals) -> None:
    environ = {**os.environ, "PYTHONPATH": ":".join(path for path in sys.path if path)}
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(workspace)], stdout=subprocess.PIPE, env=environ, text=True
    )
    try:
        assert harness.stdout is not None
        assert harness.stdout.readline() == "ready\n"
        pids = [int(pid) for pid in (workspace / "pids").read_text().split()]
        assert all(map(is_running, pids))
    finally:
        harness.send_signal(how)
        harness.wait()
        harness.stdout.close()
    assert eventually(lambda: not any(map(is_running, pids)), within_s=8), "orphans"


def _ends(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def _told(path: Path) -> int:
    deadline = time.monotonic() + 20
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


linux = pytest.mark.skipif(sys.platform != "linux", reason="left out: looks at /proc, and needs Linux")


def _process(workspace: Path, script: str) -> Process:
    environ = {"PATH": os.environ["PATH"]}
    return Process(["sh", "-c", script], folder=workspace, environ=environ, log=None, redactor=Redactor())


@linux
def test_what_a_command_leaves_running_ends_with_it(workspace: Path) -> None:
    process = _process(workspace, "sleep 120 & echo $! > left")
    try:
        assert _ends(_told(workspace / "left"))
    finally:
        asyncio.run(process.stop())


@linux
def test_a_command_whose_supervisor_is_killed_dies_with_it(workspace: Path) -> None:
    process = _process(workspace, "echo $$ > own; exec sleep 120")
    own = _told(workspace / "own")
    try:
        os.kill(process._process.pid, signal.SIGKILL)
        assert _ends(own)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(own, signal.SIGKILL)
        asyncio.run(process.stop())


def test_an_address_served_while_the_app_itself_has_ended_is_not_the_apps() -> None:
    """Somebody else took the port between the first look and the last: the app that was started is not what answers."""

    class Ended:
        looks = iter((None, 98))

        @property
        def status(self) -> int | None:
            return next(self.looks)

        def tail(self) -> str:
            return "address already in use"

    async def scenario() -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            address = urlsplit(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            await _until_ready(Ended(), Launch(command=("app",), ready=None, timeout_s=5), address, None, str)  # type: ignore[arg-type]

    with pytest.raises(DriverError, match="exit status 98") as refused:
        asyncio.run(scenario())
    assert refused.value.code == "launch-failed"
