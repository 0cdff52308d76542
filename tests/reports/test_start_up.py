"""What is heavy is loaded only by what needs it: CI's plain path pays for no colour and no template."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = "{'rich', 'jinja2', 'jsonschema', 'httpx2', 'urllib.request'} & set(sys.modules)"


@pytest.mark.parametrize(
    "then",
    [
        "",
        "print_matrix([], sys.stderr, colour=False)",
        "progress_display(sys.stderr, terminal=False, clock=lambda: 0.0)",
    ],
)
def test_reports_load_nothing_heavy_until_asked(then: str) -> None:
    code = f"import sys\nfrom plangate.reports import *\n{then}\nprint({HEAVY})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "set()\n"
