"""A hundred kills of `promote --apply`, wherever they strike: never half a state, and the next command goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.promotions import by, plan_of, plangate
from tests.promotion.stages import make_stages

ROOT = Path(__file__).resolve().parents[2]
KILLS = 100


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_and_the_next_command_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    make_stages(root)
    assert plangate(root, "promote", "stage", "--validate", *by(root, "ci"))[0] == 0
    plan = plan_of(root, "promote", "stage")["plan"]
    command = [sys.executable, "-m", "tests.promotion.kills", str(root), plan, str(KILLS), "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(kills) == KILLS

    for one in kills:
        assert one["manifest"] in ("old", "new"), one
        assert one["promoted"] in (0, 1), one
        assert not (one["manifest"] == "new" and not one["promoted"]), "changed, and nobody said so"
        assert one["after"]["status"] == 0, one
        assert one["end"] == {"manifest": "new", "promoted": 1}, one
        assert one["damage"] == [], one
    struck = Counter((one["manifest"], one["promoted"]) for one in kills)
    assert struck["old", 0], "no kill came before the promotion had happened"
    assert struck["new", 1], "no kill came after it had"
