"""A drill says whether a rollback would work, and leaves nothing but that."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from plangate.evidence.envelope import open_envelope
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import DRILL, Statement
from tests.cli.promotions import by, plan_of, plangate
from tests.cli.test_what_ran import About
from tests.drivers.servers import serving
from tests.promotion.stages import make_stages


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """stage went from app 1.0.0 to 1.0.1 and its gates were never run on the first."""
    root = make_stages(tmp_path_factory.mktemp("moved"), app="")
    dev = root / "envs" / "dev.yaml"
    text = dev.read_text().replace("shop: 1.1.0", "shop: 1.0.0")
    dev.write_text(text.replace("name: none, version: 1.0.0", "name: none, version: 1.0.1"))
    plan = plan_of(root, "promote", "stage")["plan"]
    assert plangate(root, "promote", "stage", "--apply", plan, *by(root, "alice"))[0] == 0
    return root


@pytest.fixture
def root(moved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(moved, tmp_path / "shop"))


def _drill(root: Path, *more: str, person: str = "ci") -> tuple[int, str, str]:
    return plangate(root, "rollback", "stage", "--drill", *more, *by(root, person))


def _files(root: Path) -> dict[str, str]:
    """Everything but what is local to this machine and the ledger's own files."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and not name.startswith((".plangate", "evidence/ledger")) and "__pycache__" not in name:
            found[name] = sha256(path.read_bytes()).hexdigest()
    return found


def _newest(root: Path) -> Statement:
    ledger = Ledger(root / "evidence")
    *_, last = ledger.entries()
    return open_envelope(ledger.envelope(last.digest)).statement()


def test_a_rollback_that_would_work_is_told_recorded_and_not_kept(root: Path) -> None:
    before, entries = _files(root), len(list(Ledger(root / "evidence").entries()))
    status, out, _ = _drill(root)
    assert status == 0
    assert "going back to the release of revision 1" in out
    assert "would work" in out
    assert "still at revision 2" in out
    added = {name for name in _files(root) if name not in before}
    assert len(added) == 2, "one envelope and its proof"
    assert {name: digest for name, digest in _files(root).items() if name in before} == before
    assert len(list(Ledger(root / "evidence").entries())) == entries + 1
    said = _newest(root)
    assert said.predicate_type == DRILL
    assert (said.predicate["works"], said.predicate["restores"], said.predicate["environment"]) == (True, 1, "stage")
    assert plan_of(root, "rollback", "stage")["missing"], "a drill is no evidence for the rollback itself"
    assert Ledger(root / "evidence").verify() == []
    assert "HELD" not in plangate(root, "status")[1]


def test_an_app_that_no_longer_does_what_the_old_release_sold_fails_the_drill(root: Path) -> None:
    app = root / "shop_app.py"
    app.write_text(app.read_text() + '\nGRANTS["free"].add("report.export")\n')
    status, out, _ = _drill(root, "--json")
    document = json.loads(out)
    assert (status, document["works"], document["gates"][0]["result"]) == (1, False, "failed")
    assert _newest(root).predicate["works"] is False


@pytest.mark.parametrize(
    ("version", "status", "result"), [("1.0.0", 0, "passed"), ("1.0.1", 3, "undecided")], ids=["old", "new"]
)
def test_a_drill_is_about_the_old_release_and_a_probe_says_whether_it_ran(
    root: Path, version: str, status: int, result: str
) -> None:
    """Decisions are the same either way: only what the app tells of itself shows that the newer one answered."""
    suite, manifest = root / "evals" / "gating.yaml", root / "envs" / "stage.yaml"
    suite.write_text(suite.read_text().replace("surface: all", "surface: [default]"))
    with serving(About({"app": {"name": "shop", "version": version}})) as url:
        telling = f"    interaction: {{driver: authzen, url: '{url}'}}\n"
        probe = "  probe: {target: interaction, path: /about, untold: [model, plans]}\n"
        manifest.write_text(manifest.read_text().replace("gates:", f"{telling}{probe}gates:"))
        found, out, _ = _drill(root, "--json")
    document = json.loads(out)
    assert (found, document["works"], document["gates"][0]["result"]) == (status, status == 0, result)
    assert ("app.version: pinned 1.0.0, runs 1.0.1" in document["gates"][0]["why"]) is (status != 0)
    assert _newest(root).predicate["works"] is (status == 0)


def test_an_app_that_does_not_answer_cannot_be_judged(root: Path) -> None:
    app = root / "shop_app.py"
    app.write_text(app.read_text().replace("def evaluate(request):", "def evaluate(request):\n    raise OSError"))
    status, out, _ = _drill(root)
    assert status == 3
    assert "would NOT work" in out


def test_evidence_that_does_not_verify_stops_the_drill(root: Path) -> None:
    digest = next(Ledger(root / "evidence").entries()).digest
    (root / "evidence" / f"{digest}.dsse.json").unlink()
    assert _drill(root)[::2] == (4, "evidence-missing")


def test_a_revision_that_is_gone_or_edited_is_no_way_back(root: Path) -> None:
    history = root / "envs" / "history" / "stage" / "1.yaml"
    history.write_text(history.read_text().replace("gating: 1}", "gating: 9}"))
    assert _drill(root)[0] == 2
    history.unlink()
    assert _drill(root)[::2] == (2, "no-such-revision")


def test_who_may_not_say_so_is_told_before_anything_runs(root: Path) -> None:
    assert _drill(root, person="bob")[::2] == (2, "not-trusted")
    assert plangate(root, "rollback", "stage", "--drill")[::2] == (2, "no-signer")
    assert _drill(root, "--validate")[::2] == (2, "contradicting-options")
