"""How the process ends: a thread of the HTTP client must not turn a passed run into an abort."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shops import make_shop, plangate

_PROGRAM = """
import atexit, sys
class AtTeardown:
    def __del__(self):
        print("torn down")
kept = AtTeardown()
atexit.register(print, "registered for the end")
{first}
sys.argv = ["plangate", {arguments}]
from plangate.cli.entry import start
start()
"""


def _end(*, first: str = "", arguments: str = '"--version"') -> tuple[int, str]:
    program = _PROGRAM.format(first=first, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_once_the_client_ran_the_interpreter_is_not_torn_down_and_nothing_is_lost() -> None:
    pytest.importorskip("pyreqwest")
    status, out = _end(first="import pyreqwest")
    assert (status, "torn down" in out) == (0, False)
    assert "plangate, version" in out
    assert "registered for the end" in out


def test_without_it_a_process_ends_as_usual() -> None:
    status, out = _end()
    assert (status, "torn down" in out) == (0, True)


def test_the_status_is_the_same_either_way() -> None:
    assert _end(first="import pyreqwest", arguments='"no-such-verb"')[0] == 2


ENDS = {"_exit": "os._exit(0)", "execv": "os.execv(sys.executable, [sys.executable, '-c', ''])"}
FORKS = """
import os, sys
def evaluate(request, honest=evaluate):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return honest(request)
"""


@pytest.mark.parametrize("how", ENDS.values(), ids=list(ENDS))
@pytest.mark.parametrize("place", ["{}", "def evaluate(request): {}"], ids=["imported", "asked"])
def test_an_app_that_ends_the_process_it_is_asked_in_is_no_pass(tmp_path: Path, how: str, place: str) -> None:
    """Status 0 of the app's own would open every pipeline."""
    root = make_shop(tmp_path, app="import os, sys\n" + place.format(how) + "\n")
    done = plangate("run", "dev", "--json", cwd=root)
    assert done.returncode == 3, done.stdout
    assert json.loads(done.stdout)["error"]["code"] == "app-ended-plangate"
    assert "[app-ended-plangate]" in done.stderr
    assert "PASSED" not in plangate("run", "dev", cwd=root).stdout


def test_a_child_that_an_app_forks_ends_as_it_likes(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("left out: no fork here")
    assert plangate("run", "dev", cwd=make_shop(tmp_path, app=FORKS)).returncode == 0


HANDLES = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
def evaluate(request, honest=evaluate):
    os.kill(os.getpid(), signal.SIGTERM)
    return honest(request)
"""


def test_an_app_that_takes_signals_for_itself_does_not_make_an_interrupted_run_a_pass(tmp_path: Path) -> None:
    done = plangate("run", "dev", "--json", cwd=make_shop(tmp_path, app=HANDLES))
    assert done.returncode == 3, done.stdout
    assert json.loads(done.stdout)["error"]["code"] == "app-ended-plangate"


@pytest.mark.parametrize(("leaks", "status"), [("", 0), ('GRANTS["free"].add("report.export")\n', 1)])
def test_an_app_that_ends_the_process_once_all_is_decided_changes_nothing(
    tmp_path: Path, leaks: str, status: int
) -> None:
    at_the_end = f"import atexit, os\natexit.register(os._exit, {1 - status})\n"
    done = plangate("run", "dev", "--json", cwd=make_shop(tmp_path, app=leaks + at_the_end))
    assert done.returncode == status
    assert json.loads(done.stdout)["verdict"] == ("failed" if status else "passed")
    assert "error" not in done.stderr
