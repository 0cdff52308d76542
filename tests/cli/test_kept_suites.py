"""A suite's next version: environments that still pin the one before go on as they are, and can be judged again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plangate.documents.workspace import Workspace
from plangate.evidence.bundle.layout import BundleFile
from plangate.releases.release import identify
from tests.cli.promotions import by, plan_of
from tests.cli.promotions import plangate as call
from tests.cli.shops import SUITE, plangate
from tests.promotion.stages import make_stages

SAID = SUITE.lstrip("\n").replace("matrix:\n  axes: {", "matrix:\n  axes: {phrasing: {file: words.txt}, ")
NEXT = SAID.replace("version: 1", "version: 2").replace("seed: 7", "seed: 8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """dev, stage and prod pin gating 1, and it is locked; then dev pins gating 2."""
    root = make_stages(tmp_path / "shop")
    (root / "evals/gating.yaml").write_text(SAID, encoding="utf-8")
    (root / "evals/words.txt").write_text("please\n", encoding="utf-8")
    assert call(root, "lock")[0] == 0
    (root / "evals/gating.yaml").write_text(NEXT, encoding="utf-8")
    dev = root / "envs/dev.yaml"
    dev.write_text(dev.read_text().replace("gating: 1", "gating: 2"), encoding="utf-8")
    return root


def _keep(root: Path, text: str = SAID) -> None:
    (root / "evals/gating").mkdir(exist_ok=True)
    (root / "evals/gating/1.yaml").write_text(text, encoding="utf-8")


def _release(root: Path, name: str) -> str:
    workspace = Workspace.open(root)
    return identify(workspace, workspace.environment(name)).release


def test_a_version_that_is_gone_is_told_with_the_place_to_restore_it_to(root: Path) -> None:
    done = plangate("check", cwd=root)
    assert done.returncode == 2
    assert "version 1 is nowhere, and 2 is in evals/gating.yaml" in done.stdout
    assert "restore it from version control as evals/gating/1.yaml" in done.stdout
    assert call(root, "promote", "stage")[2] == "pin-not-found"


def test_kept_it_is_the_same_release_as_before(root: Path) -> None:
    (root / "evals/gating.yaml").write_text(SAID, encoding="utf-8")
    before = _release(root, "stage")
    (root / "evals/gating.yaml").write_text(NEXT, encoding="utf-8")
    _keep(root)
    assert (call(root, "check")[0], _release(root, "stage")) == (0, before)
    assert call(root, "lock")[0] == 0
    assert {"evals/gating.yaml@1", "evals/gating.yaml@2"} <= json.loads((root / "plangate.lock").read_text())[
        "files"
    ].keys()


def test_its_own_phrasings_are_kept_with_it(root: Path) -> None:
    _keep(root)
    before = _release(root, "stage")
    (root / "evals/words.txt").write_text("please\nnow\n", encoding="utf-8")
    assert call(root, "check")[0] == 2, "the lock notices that version 1 would say something else"
    (root / "evals/gating/1").mkdir()
    (root / "evals/gating/1/words.txt").write_text("please\n", encoding="utf-8")
    assert (call(root, "check")[0], _release(root, "stage")) == (0, before)


def test_what_is_kept_may_not_change_either(root: Path) -> None:
    _keep(root, SAID.replace("seed: 7", "seed: 9"))
    done = plangate("check", cwd=root)
    assert (done.returncode, "[locked-file-changed]" in done.stdout) == (2, True)
    _keep(root, SAID.replace("version: 1", "version: 3"))
    done = plangate("check", cwd=root)
    assert (done.returncode, "[name-differs]" in done.stdout) == (2, True)


def test_a_promotion_brings_the_next_version_and_a_rollback_is_judged_by_the_one_before(root: Path) -> None:
    _keep(root)
    assert call(root, "promote", "stage", "--validate", *by(root, "ci"))[0] == 0
    plan = plan_of(root, "promote", "stage")["plan"]
    assert call(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
    assert "gating: 2" in (root / "envs/stage.yaml").read_text(encoding="utf-8")
    (root / "shop_app.py").write_text(
        (root / "shop_app.py").read_text().replace('GRANTS["free"].add("report.export")', ""), encoding="utf-8"
    )
    assert call(root, "rollback", "stage", "--validate", *by(root, "ci"))[0] == 0
    assert plan_of(root, "rollback", "stage")["ready"]


def test_a_bundle_carries_the_version_that_its_release_pins(root: Path) -> None:
    _keep(root)
    (root / "shop_app.py").write_text(
        (root / "shop_app.py").read_text().replace('GRANTS["free"].add("report.export")', ""), encoding="utf-8"
    )
    assert call(root, "promote", "stage", "--validate", "--present", *by(root, "ci"))[0] == 0
    assert call(root, "bundle", "stage", "-o", str(root / "b.tar"))[0] == 0
    with BundleFile(root / "b.tar") as bundle:
        assert bundle.read("workspace/evals/gating.yaml").decode() == SAID
        assert [title for title in bundle.titles() if title.startswith("workspace/evals/")] == [
            "workspace/evals/gating.yaml", "workspace/evals/words.txt"
        ]  # fmt: skip
    done = plangate("verify", "b.tar", "--trust", "envs/trust.yaml", cwd=root)
    assert done.returncode == 0, done.stdout


def test_pytest_collects_the_current_version_only(root: Path) -> None:
    _keep(root)
    import subprocess
    import sys

    command = [sys.executable, "-m", "pytest", "evals", "--plangate-env", "dev", "--collect-only", "-q"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "evals/gating/1.yaml" not in done.stdout
