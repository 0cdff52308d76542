"""The customer in an empty folder: a bundle, whom to believe, and a deployment of the app that is their own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from plangate.evidence.statements import PROMOTION, TEST_RESULT, VERIFICATION_SUMMARY
from tests.cli.shops import plangate
from tests.examples.running import ROOT, Shop, copied_workspace, serving

pytestmark = pytest.mark.slow
UNTRACED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
ME = ("--key", "me.key", "--as", "me@customer.example")


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped workspace, where stage was validated with the suite `gating`, signed, and packed."""
    root = copied_workspace(tmp_path_factory.mktemp("publisher"))
    shutil.copy(ROOT / "examples/support-copilot/trust.yaml", root / "envs")
    stage = (root / "envs/stage.yaml").read_text(encoding="utf-8")
    gated = re.sub(r"gates:\n(  - .*\n)+", "gates: [{suite: gating}]\n", stage)
    (root / "envs/stage.yaml").write_text(gated, encoding="utf-8")
    for name in ("ci", "ann", "bob", "sue"):
        assert plangate("keys", "new", name, "--out", "keys", cwd=root).returncode == 0
    signed = ("--key", "keys/ci.key", "--as", "ci")
    done = plangate("promote", "stage", "--validate", "--present", *signed, cwd=root, environ=UNTRACED)
    assert done.returncode == 0, done.stdout + done.stderr
    # Somebody whom the customer does not know acts on it, too: the newest checkpoint is theirs.
    held = ("hold", "stage", "--reason", "customers look at it", "--key", "keys/bob.key", "--as", "bob")
    assert plangate(*held, cwd=root).returncode == 0
    assert plangate("bundle", "stage", "-o", "release.tar", cwd=root).returncode == 0
    return root


@pytest.fixture
def folder(publisher: Path, tmp_path: Path) -> Path:
    """Nothing but the bundle, the publisher's public key and a trust policy; and a key of the customer's own."""
    for name in ("release.tar", "keys/ci.pub"):
        shutil.copy(publisher / name, tmp_path)
    plangate("keys", "new", "me", "--out", ".", cwd=tmp_path)
    words = ", ".join(f'"{kind}"' for kind in (TEST_RESULT, VERIFICATION_SUMMARY, PROMOTION))
    (tmp_path / "trust.yaml").write_text(
        f"""\
apiVersion: plangate/v1
kind: Trust
metadata: {{version: 1}}
keys:
  publisher-ci: {{algorithm: ed25519, owner: ci@publisher.example, public: "file:ci.pub"}}
  me: {{algorithm: ed25519, owner: me@customer.example, public: "file:me.pub"}}
roles:
  publisher: {{keys: [publisher-ci], threshold: 1, predicates: ["{TEST_RESULT}"], environments: [stage]}}
  owner: {{keys: [me], threshold: 1, predicates: [{words}]}}
""",
        encoding="utf-8",
    )
    return tmp_path


def _deployment(**changes: Any) -> Any:
    from copilot.entitlements import HousePolicy

    house = HousePolicy(never=frozenset({"data.purge"}), ask_a_person=frozenset({"crm.sync"}))
    return serving(policy=house, flags=frozenset({"cite_sources"}), clock="", **changes)


def _bindings(publisher: Path, shop: Shop) -> str:
    """The customer's own: an app that runs already, at another address, with tenants and keys named otherwise."""
    stage = (publisher / "envs/stage.yaml").read_text(encoding="utf-8")
    text = stage[stage.index("bindings:\n") + len("bindings:\n") : stage.index("gates:")]
    address = f'      url: "{str(shop.client.base_url).rstrip("/")}"\n'
    text, replaced = re.subn(r"      launch:\n(?:        .*\n)+", address, text)
    assert replaced == 1
    return text.replace("-at-", "-of-mine-at-").replace("test-key-of", "our-key-of") + "  region: northeurope\n"


def test_verify_reproduce_adopt_and_validate_in_an_empty_folder(publisher: Path, folder: Path) -> None:
    done = plangate("verify", "release.tar", "--trust", "trust.yaml", cwd=folder)
    assert done.returncode == 0, done.stdout
    with _deployment() as shop:
        (folder / "mine.yaml").write_text("bindings:\n" + _bindings(publisher, shop), encoding="utf-8")
        reproduce = ("reproduce", "release.tar", "--bindings", "mine.yaml", "--json")
        done = plangate(*reproduce, *ME, cwd=folder, environ=UNTRACED)
        document = json.loads(done.stdout)
        assert (done.returncode, document["reproduced"]) == (0, True), document["differences"][:3]
        assert document["fingerprint"] == document["publisher_fingerprint"]
        adopt = ("adopt", "release.tar", "--trust", "trust.yaml", "--into", "tenant", "--bindings", "mine.yaml", *ME)
        assert plangate(*adopt, cwd=folder).returncode == 0
        done = plangate("promote", "tenant", "--validate", "--present", *ME, cwd=folder, environ=UNTRACED)
        assert done.returncode == 0, done.stdout + done.stderr
    assert plangate("ledger", "verify", cwd=folder).returncode == 0
    seen = json.loads(plangate("status", "--json", cwd=folder).stdout)
    tenant = next(one for one in seen["environments"] if one["environment"] == "tenant")
    assert tenant["validated"]


def test_a_deployment_that_answers_from_an_old_plan_is_not_reproduced(publisher: Path, folder: Path) -> None:
    with _deployment(bug="cached_plan") as shop:
        (folder / "mine.yaml").write_text(_bindings(publisher, shop), encoding="utf-8")
        done = plangate("reproduce", "release.tar", "--bindings", "mine.yaml", "--json", cwd=folder, environ=UNTRACED)
    document = json.loads(done.stdout)
    assert (done.returncode, document["reproduced"]) == (1, False)
    assert document["differing"] == len(document["differences"]) > 0
    for one in document["differences"]:
        assert one["publisher"] != one["here"]
        assert {"plan", "capability", "surface"} <= one["axes"].keys()
