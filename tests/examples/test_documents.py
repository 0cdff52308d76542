"""The guide's table of faults is the app's own table."""

from __future__ import annotations

import re

from tests.examples.running import ROOT

THREAD = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")


def rows() -> list[str]:
    """The table as the guide should have it. A changed fault shows up here with the row to paste."""
    from copilot.bugs import BUGS

    return [
        f"| `{bug.name}` | {bug.does} | {_linked(bug.seen)} | {bug.verdict} | {bug.found_by} | "
        f"{'yes' if 'dev' in bug.environments else ''} |"
        for bug in BUGS
    ]


def _linked(seen: tuple[str, ...]) -> str:
    return "; ".join(THREAD.sub(r"[\g<0>](https://github.com/\1/issues/\2)", thread) for thread in seen)


def test_the_guide_lists_every_fault_as_it_is() -> None:
    guide = (ROOT / "docs" / "guide" / "reference-app.md").read_text(encoding="utf-8")
    assert [line for line in guide.splitlines() if line.startswith("| `") and line.count(" | ") == 5] == rows()


def test_the_guide_names_modules_and_addresses_that_exist() -> None:
    guide = (ROOT / "docs" / "guide" / "reference-app.md").read_text(encoding="utf-8")
    app = ROOT / "examples" / "support-copilot" / "copilot"
    named = set(re.findall(r"`(?:copilot/)?(\w+\.py)`", guide))
    assert {"plans.py", "gate.py", "tools.py"} <= named
    assert [name for name in named if not (app / name).is_file()] == []
