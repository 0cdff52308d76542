"""`plangate pin app`: the digest of the app's code in the manifest, and runs that hold it to that (rule R14)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plangate.store.folder import RunFolder
from plangate.store.reader import StoredRun
from tests.cli.shops import ENVIRONMENT, make_shop, plangate, run_json

IMAGE = "registry.example/shop@sha256:" + "ab" * 32
COMMENTED = ENVIRONMENT.replace("release:", "# what is sold\nrelease:").replace(
    "version: 1.0.0}", "version: 1.0.0}   # the app", 1
)

PROBED = ENVIRONMENT.replace("nonproduction", "production") + (
    '    interaction: {driver: authzen, url: "http://h:1"}\n  probe: {target: interaction, path: /version}\n'
)


def _ran(root: Path) -> tuple[int, str, tuple[str, ...]]:
    status, document = run_json(root)
    with StoredRun(RunFolder(root).find(document["run"])) as run:
        return status, run.header.ran, run.header.ran_differences


def test_a_run_is_about_the_code_that_was_pinned(tmp_path: Path) -> None:
    root = make_shop(tmp_path, environment=COMMENTED)
    done = plangate("pin", "app", "dev", "shop_app.py", cwd=root)
    assert done.returncode == 0, done.stderr
    text = (root / "envs/dev.yaml").read_text("utf-8")
    assert "# what is sold" in text
    assert "# the app" in text
    assert _ran(root) == (0, "as declared", ())
    with (root / "shop_app.py").open("a", encoding="utf-8") as file:
        file.write("# another build\n")
    status, ran, differences = _ran(root)
    assert (status, ran) == (3, "differs")
    assert differences[0].startswith("app.digest: pinned sha256:")
    assert "envs/dev.yaml:" in differences[0]
    assert plangate("pin", "app", "dev", "shop_app.py", cwd=root).returncode == 0
    assert _ran(root)[:2] == (0, "as declared")


def test_code_that_changes_while_it_is_observed_is_seen(tmp_path: Path) -> None:
    changing = """
        honest = evaluate
        def evaluate(request):
            open("plans.json", "w").write("{}")
            return honest(request)
    """
    root = make_shop(tmp_path, app=changing)
    (root / "plans.json").write_text("[]", "utf-8")
    assert plangate("pin", "app", "dev", "shop_app.py", "plans.json", cwd=root).returncode == 0
    assert _ran(root)[:2] == (3, "differs")


def test_an_image_is_pinned_by_its_digest_and_nothing_here_is_compared(tmp_path: Path) -> None:
    root = make_shop(tmp_path)
    done = plangate("pin", "app", "dev", "--image", IMAGE, "--json", cwd=root)
    assert json.loads(done.stdout)["digest"] == "sha256:" + "ab" * 32
    assert _ran(root)[:2] == (0, "not checked")
    assert plangate("pin", "app", "dev", "shop_app.py", cwd=root).returncode == 0
    assert plangate("pin", "app", "dev", "--image", IMAGE, cwd=root).returncode == 0
    assert "code:" not in (root / "envs/dev.yaml").read_text("utf-8"), "the folder is not what that digest is of"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--image", "shop:latest"), "floating-pin"), (("gone.py",), "code-not-found"), (("../x",), "path-escapes"),
        ((), "contradicting-options"), (("shop_app.py", "--image", IMAGE), "contradicting-options"),
    ],
)  # fmt: skip
def test_what_cannot_be_pinned_is_refused_and_nothing_written(
    tmp_path: Path, arguments: tuple[str, ...], code: str
) -> None:
    root = make_shop(tmp_path / "shop")
    before = (root / "envs/dev.yaml").read_bytes()
    done = plangate("pin", "app", "dev", *arguments, cwd=root)
    assert (done.returncode, f"[{code}]" in done.stderr) == (2, True), done.stderr
    assert (root / "envs/dev.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("manifest", "warned"),
    [
        (ENVIRONMENT, False),
        (ENVIRONMENT.replace("nonproduction", "production"), True),
        (ENVIRONMENT + "promotion: {from: [stage]}\n", True),
        (PROBED, False),
    ],
)  # fmt: skip
def test_a_promoted_environment_where_nothing_says_what_runs_is_a_warning(
    tmp_path: Path, manifest: str, warned: bool
) -> None:
    root = make_shop(tmp_path, environment=manifest)
    (root / "envs/stage.yaml").write_text(ENVIRONMENT.replace("name: dev", "name: stage"), "utf-8")
    plangate("lock", cwd=root)
    found = json.loads(plangate("check", "--json", cwd=root).stdout)["problems"]
    assert ("what-runs-unknown" in {one["code"] for one in found}) == warned, found
