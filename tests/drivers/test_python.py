"""Driver `python`: a function of this process is asked; whatever it does besides answering is a fault."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.environment import Target
from plangate.drivers.protocol import BlockingDriver, DeadlinePassed, DriverContext
from plangate.drivers.python import PythonDriver
from plangate.entitlements.decision import Effect
from plangate.errors import DriverError, InputError
from plangate.verdicts.observation import Fault, Observed
from tests.drivers.workspaces import REQUEST, context_in, write_module

APP = """
import asyncio, sys, time

def allow(request):
    return {"decision": True, "context": {"effect": "allow", "reason": request["action"]["name"]}}

async def allow_later(request):
    await asyncio.sleep(0)
    return allow(request)

class Service:
    async def __call__(self, request):
        return allow(request)

service = Service()

class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError

def raises(request): raise ValueError("no such tenant, key s3cr3t-value")
async def raises_later(request): raise ValueError("no such tenant")
def unprintable(request): raise Unprintable
def leaves(request): sys.exit(3)
def hangs(request): time.sleep(5)
async def hangs_later(request): await asyncio.sleep(60)
async def times_out_itself(request): raise TimeoutError("database")
async def cancels(request): raise asyncio.CancelledError
def closes(request): raise GeneratorExit
async def closes_later(request): raise GeneratorExit
def interrupts(request): raise KeyboardInterrupt
def wrong(request): return ["allow"]
def forgets_to_await(request): return allow_later(request)

number = 7
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    write_module(tmp_path, "pdp_under_test", APP)
    return tmp_path


async def opened(workspace: Path, name: str, **fields: Any) -> PythonDriver:
    target = Target(driver="python", object=f"pdp_under_test:{name}", timeout_s=fields.pop("timeout_s", 5.0))
    driver = PythonDriver(target, context_in(workspace, **fields))
    await driver.open()
    return driver


def ask(workspace: Path, name: str, **fields: Any) -> Observed:
    async def once() -> Observed:
        driver = await opened(workspace, name, **fields)
        try:
            return await driver.observe(REQUEST)
        finally:
            await driver.close()

    return asyncio.run(once())


@pytest.mark.parametrize("name", ["allow", "allow_later", "service"])
def test_functions_coroutine_functions_and_callable_objects_are_asked(workspace: Path, name: str) -> None:
    assert ask(workspace, name) == Observed(effect=Effect.ALLOW, reason="kb.search")


def test_a_plain_function_can_be_asked_without_an_event_loop(workspace: Path) -> None:
    driver = asyncio.run(opened(workspace, "allow"))
    assert isinstance(driver, BlockingDriver)
    assert driver.blocking
    assert driver.observe_now(REQUEST) == Observed(effect=Effect.ALLOW, reason="kb.search")
    assert not asyncio.run(opened(workspace, "allow_later")).blocking


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", "ValueError: no such tenant"),
        ("raises_later", "ValueError: no such tenant"),
        ("unprintable", "Unprintable"),
        ("leaves", "SystemExit: 3"),
        ("times_out_itself", "TimeoutError: database"),
        ("cancels", "CancelledError"),
        ("closes", "GeneratorExit"),
        ("closes_later", "GeneratorExit"),
        ("interrupts", "KeyboardInterrupt"),
    ],
)
def test_an_exception_is_a_fault_with_its_type_and_message(workspace: Path, name: str, said: str) -> None:
    observed = ask(workspace, name, secrets={"key": "s3cr3t-value"})
    assert observed.fault is Fault.RAISED
    assert said in (observed.detail or "")
    assert "s3cr3t" not in (observed.detail or "")


@pytest.mark.parametrize("name", ["wrong", "forgets_to_await"])
def test_a_wrong_type_is_malformed(workspace: Path, name: str) -> None:
    assert ask(workspace, name).fault is Fault.MALFORMED


@pytest.mark.parametrize("name", ["hangs", "hangs_later"])
def test_a_late_answer_is_a_timeout(workspace: Path, name: str) -> None:
    started = time.monotonic()
    assert ask(workspace, name, timeout_s=0.1).fault is Fault.TIMEOUT
    assert time.monotonic() - started < 3, "neither the loop nor its shutdown waits for the hanging thread"


def test_the_deadline_of_the_engine_passes_through(workspace: Path) -> None:
    driver = asyncio.run(opened(workspace, "allow"))

    def late(request: dict[str, Any]) -> None:
        raise DeadlinePassed

    driver._function = late
    with pytest.raises(DeadlinePassed):
        driver.observe_now(REQUEST)


def test_cancelling_an_observation_cancels_it(workspace: Path) -> None:
    async def scenario() -> None:
        driver = await opened(workspace, "hangs_later")
        task = asyncio.create_task(driver.observe(REQUEST))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("no_such_module_here:f", "import-failed", "No module named"),
        ("pdp_under_test:no_such_name", "import-failed", "no_such_name"),
        ("broken_module:f", "import-failed", "ZeroDivisionError"),
        ("leaving_module:f", "import-failed", "SystemExit"),
        ("pdp_under_test:number", "not-callable", "int"),
    ],
)
def test_what_cannot_be_loaded_is_a_driver_error(workspace: Path, target: str, code: str, words: str) -> None:
    write_module(workspace, "broken_module", "1 / 0")
    write_module(workspace, "leaving_module", "raise SystemExit(1)")
    driver = PythonDriver(Target(driver="python", object=target), context_in(workspace))
    with pytest.raises(DriverError) as caught:
        asyncio.run(driver.open())
    assert caught.value.code == code
    assert words in str(caught.value)
    asyncio.run(driver.close())


@pytest.mark.parametrize("name", [None, "", "module", ":name", "module:"])
def test_a_target_without_an_object_is_refused(workspace: Path, name: str | None) -> None:
    with pytest.raises(InputError) as caught:
        PythonDriver(Target(driver="python", object=name), DriverContext(workspace=workspace, environ={}))
    assert caught.value.code == "incomplete-target"


def test_modules_may_lie_in_a_folder_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    write_module(tmp_path / "src", "pdp_in_src", APP)
    target = Target(driver="python", object="pdp_in_src:allow", options={"path": "src"})
    driver = PythonDriver(target, context_in(tmp_path))
    asyncio.run(driver.open())
    assert driver.observe_now(REQUEST).effect is Effect.ALLOW


@pytest.mark.parametrize("path", ["..", "gone", 7, "/", "a\x00"])
def test_a_folder_outside_the_workspace_is_refused(tmp_path: Path, path: str) -> None:
    target = Target(driver="python", object="a:b", options={"path": path})
    with pytest.raises(InputError) as caught:
        PythonDriver(target, context_in(tmp_path))
    assert caught.value.code == "bad-import-path"


def test_the_workspace_is_on_the_path_once(workspace: Path) -> None:
    for _ in range(3):
        asyncio.run(opened(workspace, "allow"))
    assert sys.path.count(str(workspace.resolve())) == 1


def test_two_workspaces_with_modules_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for name, decision in (("one", True), ("two", False), ("one", True)):
        (tmp_path / name).mkdir(exist_ok=True)
        write_module(tmp_path / name, "pdp_under_test", f"def f(request): return {{'decision': {decision}}}")
        driver = PythonDriver(Target(driver="python", object="pdp_under_test:f"), context_in(tmp_path / name))
        asyncio.run(driver.open())
        assert driver.observe_now(REQUEST).effect is (Effect.ALLOW if decision else Effect.DENY)
