"""A session that asks nothing of plangate: nothing printed, nothing heavy imported, next to no time."""

import json
import os
import subprocess
import sys

ALLOWED = {"plangate", "plangate.pytest_plugin", "plangate.pytest_plugin.hooks"}
LISTING = """
import json, sys
def test_modules():
    print("\\n" + json.dumps(sorted(sys.modules)), file=sys.__stdout__)
"""


def _modules(shop, *arguments: str) -> set[str]:
    session = shop.pytest("test_modules.py", "-s", "-q", *arguments, every_plugin=True)
    return set(json.loads(next(line for line in session.out.splitlines() if line.startswith("["))))


def test_nothing_is_imported_but_the_hooks(shop) -> None:
    shop.write("test_modules.py", LISTING)
    # Another package's plugin may load what it likes; this is about what plangate's adds.
    assert _modules(shop) - _modules(shop, "-p", "no:plangate") == ALLOWED


def test_nothing_is_printed(shop) -> None:
    shop.write("test_nothing.py", "def test_nothing(): pass\n")
    session = shop.pytest("test_nothing.py", "-v", every_plugin=True)
    assert session.counts == {"passed": 1}
    mentions = [line for line in session.out.splitlines() if "plangate" in line.replace(str(shop.root), "")]
    # pytest itself lists the plugins it found; nothing else mentions plangate.
    assert [line for line in mentions if not line.startswith("plugins: ")] == []


def test_the_import_costs_less_than_five_milliseconds() -> None:
    program = (
        "import pytest, time; t = time.perf_counter(); import plangate.pytest_plugin; print(time.perf_counter() - t)"
    )
    # Where coverage measures every process, it would measure this one's start too.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", program]
    seconds = [
        float(subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout)
        for _ in range(5)
    ]
    assert min(seconds) < 0.005, seconds
