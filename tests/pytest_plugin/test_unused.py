"""A session that asks nothing of plangate: nothing printed, nothing heavy imported."""

import json
import sys
from pathlib import Path

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
    # Where this checkout and its interpreter lie says nothing.
    own = session.out.replace(str(shop.root), "").replace(str(Path(sys.executable).parent), "")
    mentions = [line for line in own.splitlines() if "plangate" in line]
    # pytest itself lists the plugins it found; nothing else mentions plangate.
    assert [line for line in mentions if not line.startswith("plugins: ")] == []
