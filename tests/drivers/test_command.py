"""Driver `command`: answers come by order alone, so a process that breaks the order is never asked again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.environment import Target
from plangate.drivers.command import RESTARTS_MAX, CommandDriver
from plangate.entitlements.decision import Effect
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault, Observed
from tests.drivers.workspaces import context_in, request_for, write_module

# What it does is in the capability's name; the reason is the subject's id, so that a mix-up is seen.
APP = """
import json, os, sys, time

starts = int(open("starts").read()) if os.path.exists("starts") else 0
open("starts", "w").write(str(starts + 1))

def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()

for line in sys.stdin:
    request = json.loads(line)
    name = request["action"]["name"]
    answer = json.dumps({"decision": True, "context": {"reason": request["subject"]["id"]}})
    if name == "late":
        time.sleep(6)
    if name == "slow":
        time.sleep(0.02)
    if name == "chatty":
        say("checking the plan...\\n")
    if name == "hang":
        time.sleep(60)
    if name == "exit":
        print("out of memory", file=sys.stderr)
        sys.exit(9)
    if name == "huge":
        say("x" * 3_000_000 + "\\n")
        continue
    if name == "twice":
        say(answer + "\\n")
    if name == "odd":
        answer = '{"decision": "yes"}'
    if name == "deaf":
        os.close(0)
        time.sleep(60)
    say(answer + ("\\r\\n" if name == "crlf" else "\\n"))
"""
TIMEOUT_S = 3.0
"""The first answer's includes the start of an interpreter."""


@contextlib.asynccontextmanager
async def driving(
    workspace: Path, command: tuple[str, ...] = ("python", "pdp.py"), **fields: Any
) -> AsyncIterator[Any]:
    write_module(workspace, "pdp", APP)
    target = Target(driver="command", command=command, timeout_s=fields.pop("timeout_s", TIMEOUT_S))
    driver = CommandDriver(target, context_in(workspace, environ={"PATH": os.environ["PATH"]}, **fields))
    try:
        await driver.open()
        yield driver
    finally:
        await driver.close()
        await driver.close()


def ask_all(workspace: Path, *names: str, **fields: Any) -> list[Observed]:
    async def scenario() -> list[Observed]:
        async with driving(workspace, **fields) as driver:
            return [await driver.observe(request_for(name, subject=f"t-{n}")) for n, name in enumerate(names)]

    return asyncio.run(scenario())


def starts(workspace: Path) -> int:
    return int((workspace / "starts").read_text())


def allowed(number: int) -> Observed:
    return Observed(effect=Effect.ALLOW, reason=f"t-{number}")


def test_one_process_answers_line_by_line(tmp_path: Path) -> None:
    assert ask_all(tmp_path, "fast", "crlf", "fast") == [allowed(0), allowed(1), allowed(2)]
    assert starts(tmp_path) == 1


def test_many_lines_in_flight_are_answered_in_order(tmp_path: Path) -> None:
    async def scenario() -> list[Observed]:
        async with driving(tmp_path, timeout_s=5.0) as driver:
            names = ["slow" if number % 3 else "fast" for number in range(60)]
            asked = (driver.observe(request_for(name, subject=f"t-{n}")) for n, name in enumerate(names))
            return list(await asyncio.gather(*asked))

    assert asyncio.run(scenario()) == [allowed(number) for number in range(60)]
    assert starts(tmp_path) == 1


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("late", Fault.TIMEOUT),
        ("hang", Fault.TIMEOUT),
        ("chatty", Fault.MALFORMED),
        ("huge", Fault.MALFORMED),
        ("exit", Fault.UNREACHABLE),
    ],
)
def test_after_a_broken_order_the_next_request_goes_to_a_new_process(tmp_path: Path, name: str, fault: Fault) -> None:
    first, broken, *after = ask_all(tmp_path, "fast", name, "fast", "fast")
    assert first == allowed(0)
    assert broken.fault is fault, broken
    assert after == [allowed(2), allowed(3)], "an answer was taken for that of another request"
    assert starts(tmp_path) == 2


def test_an_answer_of_a_wrong_shape_keeps_its_place(tmp_path: Path) -> None:
    odd, fast = ask_all(tmp_path, "odd", "fast")
    assert odd.fault is Fault.MALFORMED
    assert fast == allowed(1)
    assert starts(tmp_path) == 1


def test_a_line_that_nobody_asked_for_ends_the_trust_in_a_process(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with driving(tmp_path) as driver:
            assert await driver.observe(request_for("twice", subject="t-0")) == allowed(0)
            await asyncio.sleep(0.1)
            assert await driver.observe(request_for("fast", subject="t-1")) == allowed(1)

    asyncio.run(scenario())
    assert starts(tmp_path) == 2


def test_who_waits_behind_a_late_answer_is_told_that_it_was_not_asked(tmp_path: Path) -> None:
    async def scenario() -> list[Observed]:
        async with driving(tmp_path) as driver:
            late = asyncio.create_task(driver.observe(request_for("hang", subject="t-0")))
            await asyncio.sleep(TIMEOUT_S / 2)
            behind = asyncio.create_task(driver.observe(request_for("fast", subject="t-1")))
            return [await late, await behind, await driver.observe(request_for("fast", subject="t-2"))]

    late, behind, after = asyncio.run(scenario())
    assert late.fault is Fault.TIMEOUT
    assert behind.fault is Fault.CLOSED, "a transport fault: the engine may ask again"
    assert after == allowed(2)


def test_a_process_is_restarted_at_most_three_times(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with driving(tmp_path) as driver:
            for _ in range(RESTARTS_MAX + 1):
                assert driver.alive()
                observed = await driver.observe(request_for("exit"))
                assert observed.fault is Fault.UNREACHABLE
                assert "exit status 9" in observed.detail
                assert "out of memory" in observed.detail
            assert not driver.alive()
            started = time.monotonic()
            observed = await driver.observe(request_for("fast"))
            assert time.monotonic() - started < 2
            assert observed.fault is Fault.UNREACHABLE
            assert "started 4 times" in observed.detail

    asyncio.run(scenario())
    assert starts(tmp_path) == RESTARTS_MAX + 1


def test_a_process_that_closes_its_input_is_replaced(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with driving(tmp_path) as driver:
            assert (await driver.observe(request_for("deaf"))).fault is Fault.TIMEOUT
            assert await driver.observe(request_for("fast", subject="t-1")) == allowed(1)

    asyncio.run(scenario())


def test_a_process_that_reads_nothing_is_a_timeout_and_not_a_hang(tmp_path: Path) -> None:
    write_module(tmp_path, "deaf", "import time\ntime.sleep(60)")

    async def scenario() -> None:
        async with driving(tmp_path, ("python", "deaf.py")) as driver:
            big = request_for("fast", phrasing="x" * 500_000)
            assert (await driver.observe(big)).fault is Fault.TIMEOUT

    asyncio.run(scenario())


def test_a_program_that_does_not_exist_is_said_when_opening(tmp_path: Path) -> None:
    for program in ("no-such-program-anywhere", "./no-such-file"):
        with pytest.raises(DriverError) as caught:
            ask_all(tmp_path, "fast", command=(program,))
        assert caught.value.code == "launch-failed"


def test_a_program_of_the_workspace_is_started(tmp_path: Path) -> None:
    script = tmp_path / "pdp.sh"
    script.write_text("#!/bin/sh\nwhile read -r line; do echo '{\"decision\": false}'; done\n")
    script.chmod(0o755)
    assert ask_all(tmp_path, "any", command=("./pdp.sh",)) == [Observed(effect=Effect.DENY)]


def test_a_target_without_a_command_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        CommandDriver(Target(driver="command"), context_in(tmp_path))
    assert caught.value.code == "incomplete-target"


def test_secrets_do_not_come_back(tmp_path: Path) -> None:
    write_module(tmp_path, "teller", "import sys\nsys.stdin.readline()\nsys.exit('key s3cr3t-value')")
    (observed,) = ask_all(tmp_path, "any", command=("python", "teller.py"), secrets={"key": "s3cr3t-value"})
    assert observed.fault is Fault.UNREACHABLE
    assert "key [redacted]" in (observed.detail or "")
