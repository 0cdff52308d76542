"""How the process ends: a thread of the HTTP client must not turn a passed run into an abort."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
