"""An app without a model: a release that has no prompts need not pin one, from the first run to a promotion."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.promotions import by, plan_of, plangate
from tests.promotion.stages import make_stages


def test_a_release_without_a_model_is_run_reported_promoted_and_bundled(tmp_path: Path) -> None:
    root = make_stages(tmp_path / "shop")
    for name in ("dev", "stage", "prod"):
        manifest = root / f"envs/{name}.yaml"
        text = re.sub(r"  model: .*\n", "", manifest.read_text(encoding="utf-8"))
        manifest.write_text(text, encoding="utf-8")
    assert plangate(root, "check")[0] == 0
    status, out, _ = plangate(root, "run", "dev", "--json")
    assert (status, json.loads(out)["verdict"]) == (0, "passed")
    assert "no model" in plangate(root, "show", json.loads(out)["run"])[1]
    assert plangate(root, "promote", "stage", "--validate", *by(root, "ci"))[0] in (0, 1)
    plan = plan_of(root, "promote", "stage")
    assert plangate(root, "promote", "stage", "--apply", plan["plan"], *by(root, "alice"))[0] == 0
    assert "model" not in (root / "envs/stage.yaml").read_text(encoding="utf-8")
    assert plangate(root, "bundle", "stage", "-o", str(tmp_path / "b.tar"))[0] == 0
