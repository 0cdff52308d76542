"""`plangate adopt`: a publisher's release under the customer's own gates, approvals and bindings."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent, indent

import pytest

from plangate.evidence.envelope import open_envelope, seal
from plangate.evidence.keys import PrivateKey, generate
from plangate.evidence.ledger import Ledger
from plangate.evidence.statements import APPROVAL, HOLD, PROMOTION, TEST_RESULT, VERIFICATION_SUMMARY
from tests.cli.shops import APP, plangate
from tests.evidence.bundles import Published, pack, publish, sign_newest
from tests.promotion.stages import NEW_CATALOG

BINDINGS = """\
# where our own deployment is
targets:
  default: {driver: python, object: "mine:evaluate", timeout_s: 2}   # not the publisher's
region: northeurope
"""
SIGNED = ("--key", "me.key", "--as", "me@customer.example")


@dataclass(frozen=True, kw_only=True)
class Customer:
    """An empty folder with a bundle, a trust policy, a key and an app of the customer's own."""

    root: Path
    key: PrivateKey

    def plangate(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, output, errors."""
        done = plangate(*arguments, cwd=self.root)
        return done.returncode, done.stdout, done.stderr

    def reproduce(self, bundle: Path, *more: str) -> int:
        return self.plangate("reproduce", str(bundle), "--bindings", "mine.yaml", *SIGNED, *more)[0]

    def adopt(self, bundle: Path, *more: str) -> tuple[int, str, str]:
        return self.plangate("adopt", str(bundle), "--trust", "trust.yaml", "--into", "tenant", *more)

    def files(self) -> dict[str, bytes]:
        """Every document: path -> bytes."""
        kept = [path for part in ("envs", "prompts", "evals") for path in sorted((self.root / part).rglob("*"))]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in kept if path.is_file()}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return publish(tmp_path_factory.mktemp("published"))


@pytest.fixture
def customer(published: Published, tmp_path: Path) -> Customer:
    root = tmp_path / "customer"
    root.mkdir()
    key = generate()
    (root / "mine.py").write_text(APP, encoding="utf-8")
    (root / "mine.yaml").write_text(BINDINGS, encoding="utf-8")
    (root / "me.key").write_bytes(key.pem())
    (root / "trust.yaml").write_text(_trust(published.key, key), encoding="utf-8")
    return Customer(root=root, key=key)


def _trust(publisher: PrivateKey, mine: PrivateKey) -> str:
    """The publisher's CI says what passed at the publisher's; the customer's key says the rest."""

    def key(name: str, owner: str, one: PrivateKey) -> str:
        text = f"{name}:\n  algorithm: ed25519\n  owner: {owner}\n  public: |\n"
        return indent(text + indent(one.public.pem.decode(), "    "), "  ")

    words = ", ".join(f'"{kind}"' for kind in (TEST_RESULT, VERIFICATION_SUMMARY, APPROVAL, PROMOTION, HOLD))
    roles = f"""\
        roles:
          publisher: {{keys: [ci], threshold: 1, predicates: ["{TEST_RESULT}"], environments: [dev]}}
          owner: {{keys: [me], threshold: 1, predicates: [{words}]}}
        """
    head = "apiVersion: plangate/v1\nkind: Trust\nmetadata: {version: 1}\nkeys:\n"
    return head + key("ci", "ci@publisher.example", publisher) + key("me", SIGNED[-1], mine) + dedent(roles)


def _second_release(published: Published, folder: Path) -> Published:
    """The publisher's next bundle: free gains report.export, and a new binding is needed."""
    root = Path(shutil.copytree(published.root, folder / "publisher"))
    made = Published(root=root, key=published.key, bundle=folder / "second.tar", trust=published.trust)
    (root / "envs/plans/shop/1.1.0.yaml").write_text(NEW_CATALOG.lstrip("\n"), encoding="utf-8")
    manifest = (root / "envs/dev.yaml").read_text(encoding="utf-8").replace("{shop: 1.0.0}", "{shop: 1.1.0}")
    (root / "envs/dev.yaml").write_text(manifest + "  policy: {denied: [data.purge]}\n", encoding="utf-8")
    (root / "shop_app.py").write_text(APP + '\nGRANTS["free"].add("report.export")\n', encoding="utf-8")
    assert plangate("run", "dev", cwd=root).returncode == 0
    sign_newest(made)
    pack(made)
    return made


def test_from_an_empty_folder_to_the_second_release(published: Published, customer: Customer, tmp_path: Path) -> None:
    """Verify, reproduce, adopt, validate; then the next release, with the first one's bindings as they are."""
    assert customer.plangate("verify", str(published.bundle), "--trust", "trust.yaml")[0] == 0
    assert customer.reproduce(published.bundle) == 0
    status, out, _ = customer.adopt(published.bundle, "--bindings", "mine.yaml")
    assert (status, "reproduced by somebody you trust" in out) == (0, True)
    assert customer.plangate("check")[0] == 0
    assert customer.plangate("promote", "tenant", "--validate", "--present", *SIGNED)[0] == 0
    ours = (customer.root / "envs/tenant.yaml").read_text(encoding="utf-8")
    assert indent(BINDINGS, "  ") in ours
    soaking = ("from: [upstream]\n", "from: [upstream]\n  soak: PT0S   # ours\n")
    (customer.root / "envs/tenant.yaml").write_text(ours.replace(*soaking), encoding="utf-8")

    second = _second_release(published, tmp_path / "second")
    (customer.root / "mine.py").write_text(APP + '\nGRANTS["free"].add("report.export")\n', encoding="utf-8")
    assert customer.reproduce(second.bundle) == 0
    status, out, _ = customer.adopt(second.bundle, *SIGNED)
    assert (status, "the publisher's bindings have policy.denied" in out) == (0, True)
    assert "next: plangate promote tenant\n" in out

    status, out, _ = customer.plangate("promote", "tenant", "--json", "--validate", *SIGNED)
    plan = json.loads(out)
    assert (status, plan["ready"]) == (0, True), plan
    assert [(one["plan"], one["capability"]) for one in plan["decision_changes"]] == [("free", "report.export")]
    assert customer.plangate("promote", "tenant", "--apply", plan["plan"], *SIGNED)[0] == 0
    now = (customer.root / "envs/tenant.yaml").read_text(encoding="utf-8")
    assert "name: tenant, revision: 2" in now
    assert now[now.index("bindings:") :] == ours.replace(*soaking)[ours.index("bindings:") :]


def test_a_suite_that_is_replaced_is_kept_for_those_who_still_pin_it(
    published: Published, customer: Customer, tmp_path: Path
) -> None:
    assert customer.adopt(published.bundle, "--bindings", "mine.yaml", "--unreproduced")[0] == 0
    before = (customer.root / "evals/gating.yaml").read_bytes()
    root = Path(shutil.copytree(published.root, tmp_path / "next"))
    made = Published(root=root, key=published.key, bundle=tmp_path / "next.tar", trust=published.trust)
    suite, manifest = root / "evals/gating.yaml", root / "envs/dev.yaml"
    suite.write_text(suite.read_text().replace("version: 1", "version: 2"), encoding="utf-8")
    manifest.write_text(manifest.read_text().replace("gating: 1", "gating: 2"), encoding="utf-8")
    assert plangate("run", "dev", cwd=root).returncode == 0
    sign_newest(made)
    pack(made)
    status, out, _ = customer.adopt(made.bundle, "--unreproduced")
    assert (status, "replaced evals/gating.yaml" in out) == (0, True)
    assert (customer.root / "evals/gating/1.yaml").read_bytes() == before
    assert customer.plangate("check")[0] == 0
    assert "suites.gating: 1 -> 2" in customer.plangate("promote", "tenant")[1]


def test_what_nobody_reproduced_is_not_adopted(published: Published, customer: Customer) -> None:
    status, out, _ = customer.adopt(published.bundle, "--bindings", "mine.yaml")
    assert (status, customer.files()) == (1, {})
    assert "nobody whom you trust reproduced gating" in out
    assert customer.adopt(published.bundle, "--bindings", "mine.yaml", "--unreproduced")[0] == 0


def test_a_reproduction_that_failed_later_takes_the_earlier_one_back(published: Published, customer: Customer) -> None:
    assert customer.reproduce(published.bundle) == 0
    (customer.root / "mine.py").write_text(APP + '\nGRANTS["free"].add("report.export")\n', encoding="utf-8")
    assert customer.reproduce(published.bundle) == 1
    assert customer.adopt(published.bundle, "--bindings", "mine.yaml")[0] == 1


def test_a_failed_reproduction_cannot_be_cut_off(published: Published, customer: Customer) -> None:
    assert customer.reproduce(published.bundle) == 0
    (customer.root / "mine.py").write_text(APP + '\nGRANTS["free"].add("report.export")\n', encoding="utf-8")
    assert customer.reproduce(published.bundle) == 1
    entries = customer.root / "evidence/ledger/entries.jsonl"
    entries.write_bytes(entries.read_bytes().splitlines(keepends=True)[0])
    assert customer.adopt(published.bundle, "--bindings", "mine.yaml")[0] == 4


@pytest.mark.parametrize(
    ("word", "status"), [({"ran": "as declared"}, 0), ({"ran": "differs"}, 1), ({"shard": "1/2"}, 1)]
)
def test_a_reproduction_counts_as_far_as_its_own_words_go(
    published: Published, customer: Customer, word: dict[str, str], status: int
) -> None:
    """Signed with the customer's own key, and contradicted beside the result."""
    customer.reproduce(published.bundle)
    ledger = Ledger(customer.root / "evidence")
    statement = open_envelope(ledger.envelope(next(ledger.entries()).digest)).statement()
    changed = replace(statement, predicate={**statement.predicate, **word})
    ledger.append(seal(changed, key=customer.key), key=customer.key, at="2099-01-01T00:00:00Z")
    assert customer.adopt(published.bundle, "--bindings", "mine.yaml")[0] == status


def test_a_strangers_reproduction_does_not_count(published: Published, customer: Customer) -> None:
    (customer.root / "me.key").write_bytes(generate().pem())
    assert customer.reproduce(published.bundle) == 0
    assert customer.adopt(published.bundle, "--bindings", "mine.yaml")[0] == 1


def test_a_bundle_that_does_not_verify_is_exit_4(published: Published, customer: Customer) -> None:
    (customer.root / "trust.yaml").write_text(_trust(generate(), customer.key), encoding="utf-8")
    status, _, error = customer.adopt(published.bundle, "--bindings", "mine.yaml", "--unreproduced")
    assert (status, customer.files()) == (4, {})
    assert "does not verify" in error


def test_a_version_of_the_customers_own_is_in_the_way(published: Published, customer: Customer) -> None:
    mine = customer.root / "envs/plans/shop/1.0.0.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text((published.root / "envs/plans/shop/1.0.0.yaml").read_text() + "# mine\n", encoding="utf-8")
    before = customer.files()
    status, _, error = customer.adopt(published.bundle, "--bindings", "mine.yaml", "--unreproduced")
    assert (status, customer.files()) == (2, before)
    assert "[adoption-conflict]" in error
    assert "envs/plans/shop/1.0.0.yaml" in error


def test_an_environment_of_the_customers_own_is_never_the_source(published: Published, customer: Customer) -> None:
    assert customer.adopt(published.bundle, "--bindings", "mine.yaml", "--unreproduced")[0] == 0
    before = customer.files()
    arguments = ("adopt", str(published.bundle), "--trust", "trust.yaml", "--into", "other", "--unreproduced")
    status, _, error = customer.plangate(*arguments, "--bindings", "mine.yaml", "--source", "tenant")
    assert (status, "[adoption-conflict]" in error, customer.files()) == (2, True, before)
    for name in ("other", "../up"):
        status, _, error = customer.plangate(*arguments, "--source", name)
        assert (status, "[bad-name]" in error, customer.files()) == (2, True, before)


def test_where_bindings_differ_is_said_leaf_by_leaf_and_no_secret_with_it(
    published: Published, customer: Customer
) -> None:
    mine = customer.root / "mine.yaml"
    (customer.root / "our-own.key").write_text("0123456789abcdef")
    mine.write_text(BINDINGS + "secrets: {api_key: 'file:our-own.key'}\n", encoding="utf-8")
    customer.reproduce(published.bundle)
    _, out, _ = customer.adopt(published.bundle, "--bindings", "mine.yaml")
    told = [line for line in out.splitlines() if line.startswith("note: bindings")]
    assert told == [
        'note: bindings, the publisher\'s -> yours: region: nothing -> "northeurope"',
        "note: bindings, the publisher's -> yours: secrets: another value (not shown)",
        'note: bindings, the publisher\'s -> yours: targets.default.object: "shop_app:evaluate" -> "mine:evaluate"',
        "note: bindings, the publisher's -> yours: targets.default.timeout_s: 1 -> 2",
    ]
    assert "our-own.key" not in out
    _, out, _ = customer.adopt(published.bundle, "--json")
    assert [one.partition(":")[0] for one in json.loads(out)["other_bindings"]] == [
        "region", "secrets", "targets.default.object", "targets.default.timeout_s",
    ]  # fmt: skip


def test_the_first_time_needs_bindings(published: Published, customer: Customer) -> None:
    status, _, error = customer.adopt(published.bundle, "--unreproduced")
    assert (status, customer.files()) == (2, {})
    assert "--bindings FILE" in error


def test_an_environment_that_takes_from_elsewhere_is_left_alone(published: Published, customer: Customer) -> None:
    assert customer.adopt(published.bundle, "--bindings", "mine.yaml", "--unreproduced")[0] == 0
    before = customer.files()
    status, _, error = customer.adopt(published.bundle, "--unreproduced", "--source", "another")
    assert (status, customer.files()) == (2, before)
    assert "[not-a-source]" in error


def test_adopting_twice_changes_nothing(published: Published, customer: Customer) -> None:
    assert customer.adopt(published.bundle, "--bindings", "mine.yaml", "--unreproduced")[0] == 0
    before = customer.files()
    status, out, _ = customer.adopt(published.bundle, "--unreproduced", "--json")
    assert (status, customer.files()) == (0, before)
    assert json.loads(out)["files"] == []


def test_the_ledger_says_once_since_when_a_release_is_here(published: Published, customer: Customer) -> None:
    for _ in range(2):
        assert customer.adopt(published.bundle, "--bindings", "mine.yaml", "--unreproduced", *SIGNED)[0] == 0
    status, out, _ = customer.plangate("history", "upstream", "--json")
    (entry,) = json.loads(out)["history"]
    assert (status, entry["kind"], entry["source"], entry["person"]) == (0, "adoption", "dev", SIGNED[-1])
