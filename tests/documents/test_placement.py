"""Data, regions and identities in the wrong place; secrets by their format, their name and their letters."""

from __future__ import annotations

import base64
import random
import string
import time
from pathlib import Path

import pytest

from plangate.documents.document import read_document
from plangate.documents.kinds import Kind
from plangate.documents.secret_texts import holds_secret, is_secret_name, looks_random
from plangate.documents.workspace import Workspace
from tests.cli.shops import CATALOG, ENVIRONMENT, make_shop

TENANT = "9f1c2d3e-1111-4222-8333-444455556666"


def _codes(root: Path, more: str = "", *, tier: str = "nonproduction", catalog: str = CATALOG) -> list[tuple[str, str]]:
    """(code, severity) of what `check` says of a shop with these bindings added."""
    environment = ENVIRONMENT.replace("nonproduction", tier) + more
    make_shop(root, environment=environment, catalog=catalog)
    return [(one.code, one.severity) for one in Workspace.open(root).check() if one.code != "not-locked"]


@pytest.mark.parametrize(
    ("tier", "data_class", "wrong"),
    [
        ("nonproduction", "production", True), ("production", "test", True), ("nonproduction", "test", False),
        ("nonproduction", "synthetic", False), ("production", "synthetic", False), ("production", "production", False),
    ],
)  # fmt: skip
def test_data_belongs_to_its_tier(tmp_path: Path, tier: str, data_class: str, wrong: bool) -> None:
    found = _codes(tmp_path, f"  data: [{{name: kb, class: {data_class}}}]\n", tier=tier)
    assert found == ([("data-in-wrong-place", "error")] if wrong else [])


@pytest.mark.parametrize(
    ("bindings", "codes"),
    [
        ("region: westeurope\n  policy: {regions: [westeurope]}", []),
        ("region: eastus\n  policy: {regions: [westeurope, northeurope]}", ["outside-regions"]),
        ("policy: {regions: [westeurope]}", ["region-not-said"]),
        ("region: westeurope\n  data: [{name: kb, class: test, region: eastus}]\n  policy: {regions: [westeurope]}",
         ["outside-regions"]),
        ("region: eastus\n  data: [{name: kb, class: test, region: eastus}]", []),
    ],
)  # fmt: skip
def test_app_and_data_stay_in_the_regions_that_are_allowed(tmp_path: Path, bindings: str, codes: list[str]) -> None:
    assert [code for code, _ in _codes(tmp_path, f"  {bindings}\n")] == codes


@pytest.mark.parametrize(
    ("offer", "owner", "wrong"),
    [
        ("saas", "publisher", False), ("saas", "customer", True), ("container", "publisher", True),
        ("virtual_machine", "customer", False), ("managed_application", "customer", False),
        ("managed_application", "publisher", False), ("other", "customer", False),
    ],
)  # fmt: skip
def test_who_owns_an_identity_follows_the_offer(tmp_path: Path, offer: str, owner: str, wrong: bool) -> None:
    catalog = CATALOG.replace("model: saas", f"model: {offer}")
    found = _codes(tmp_path, f"  identity: {{owner: {owner}}}\n", catalog=catalog)
    assert found == ([("identity-owner", "error")] if wrong else [])


def test_a_tenant_belongs_in_the_identity_and_nowhere_else(tmp_path: Path) -> None:
    identity = f"  identity: {{home_tenant: {TENANT}}}\n"
    assert _codes(tmp_path, identity) == []
    assert _codes(tmp_path, identity + f"  region: tenant-{TENANT.upper()}\n") == [("hard-coded-tenant", "warning")]
    prompt = "---\napiVersion: plangate/v1\nkind: Prompt\nmetadata: {name: a, version: 1.0.0}\n---\nServe TENANT.\n"
    (tmp_path / "prompts/a").mkdir(parents=True)
    (tmp_path / "prompts/a/1.0.0.md").write_text(prompt.replace("TENANT", TENANT), encoding="utf-8")
    manifest = tmp_path / "envs/dev.yaml"
    text = (ENVIRONMENT + identity).replace("  plans: {", "  prompts: {a: 1.0.0}\n  plans: {")
    manifest.write_text(text.lstrip("\n"), encoding="utf-8")
    found = [(one.code, one.path) for one in Workspace.open(tmp_path).check() if one.code != "not-locked"]
    assert found == [("hard-coded-tenant", "prompts/a/1.0.0.md")]


@pytest.mark.parametrize(
    ("tier", "identity", "warned"),
    [("production", "{}", True), ("production", "{managed: true}", False), ("nonproduction", "{}", False)],
)
def test_a_managed_identity_is_better_than_a_secret_that_lives_long(
    tmp_path: Path, tier: str, identity: str, warned: bool
) -> None:
    bindings = f'  identity: {identity}\n  secrets: {{client_secret: "env:CS"}}\n'
    found = [one for one in _codes(tmp_path, bindings, tier=tier) if one[0] != "unused-name"]
    assert found == ([("long-lived-secret", "warning")] if warned else [])


_CHANCE = random.Random(20260601)  # the tokens below open nothing: they are drawn here


def _drawn(size: int, letters: str = string.ascii_letters + string.digits) -> str:
    return "".join(_CHANCE.choice(letters) for _ in range(size))


KNOWN = [
    f"sk-proj-{_drawn(40)}", f"sk_live_{_drawn(24)}", f"ghp_{_drawn(36)}", f"github_pat_{_drawn(40)}",
    f"glpat-{_drawn(20)}", "AKIA" + _drawn(16, string.ascii_uppercase), f"xoxb-{_drawn(24)}",
    "AIza" + _drawn(35), f"npm_{_drawn(36)}", f"hf_{_drawn(34)}", f"SG.{_drawn(22)}.{_drawn(43)}",
    f"DefaultEndpointsProtocol=https;AccountKey={_drawn(86)}==", f"https://a.example/b?sv=1&sig={_drawn(44)}",
    f"abc8Q~{_drawn(34)}", f"eyJ{_drawn(20)}.eyJ{_drawn(40)}.{_drawn(43)}", "https://me:hunter2@db.example/x",
    "-----BEGIN EC PRIVATE KEY-----",
]  # fmt: skip


@pytest.mark.parametrize("secret", KNOWN, ids=range(len(KNOWN)))
@pytest.mark.parametrize("kind", [Kind.ENVIRONMENT, Kind.PLAN_CATALOG, Kind.SUITE, Kind.PROMPT])
def test_a_known_format_is_found_in_any_document_comments_included(kind: Kind, secret: str) -> None:
    text = f"---\nkind: x\n---\nhello\n# {secret}\n" if kind is Kind.PROMPT else f"kind: x\n\n\n\n# {secret}\n"
    found = [one for one in read_document(kind, text.encode(), path="f").problems if one.code == "literal-secret"]
    assert [(one.line, one.severity) for one in found] == [(5, "error")]
    assert secret[-8:] not in str(found[0])


@pytest.mark.parametrize(
    "text",
    ["sk-1", "risk-free-but-long-words-here", "https://example.com/a:b@c", "sha256:" + "ab" * 32, "{secret.api_key}",
     "tenant-9f1c2d3e-1111-4222-8333-444455556666", "/test/tenants/{subject.id}-at-interaction"],
)  # fmt: skip
def test_what_only_resembles_one_is_left_alone(text: str) -> None:
    assert (holds_secret(text), looks_random(text)) == (False, False)


@pytest.mark.parametrize("part", ["eyJ-", "http://a:", "SG.", "-----BEGIN A "])
def test_a_hostile_file_costs_no_more_than_its_length(part: str) -> None:
    started = time.process_time()
    assert not holds_secret(part * (1_000_000 // len(part)))
    assert time.process_time() - started < 20, "quadratic work would take hours"


def test_letters_at_random_are_found_and_names_are_not() -> None:
    drawn = [_drawn(32) for _ in range(1_000)]
    assert sum(map(looks_random, drawn)) > 970
    assert sum(looks_random(base64.b64encode(_CHANCE.randbytes(48)).decode()) for _ in range(1_000)) > 900
    names = [
        "support-copilot", "SmolLM2-135M-Instruct-Q4-1", "contoso-support-copilot-2026-11", "VirtualNetworkIntegration",
        "DefaultAzureCredentialOptions", "7f3a9c4d" * 5, "copilot.api:create_application", "gpt-4o-mini-2026-07-18",
    ]  # fmt: skip
    assert [name for name in names if looks_random(name)] == []


def test_random_letters_are_refused_in_bindings_and_pins_are_not_looked_at(tmp_path: Path) -> None:
    token = next(one for one in (_drawn(32) for _ in range(9)) if looks_random(one))
    assert _codes(tmp_path, f"  identity: {{app: {token}}}\n") == [("literal-secret", "error")]
    pinned = ENVIRONMENT.replace("name: none, version: 1.0.0", f"name: none, version: {token}")
    make_shop(tmp_path, environment=pinned)
    assert [one.code for one in Workspace.open(tmp_path).check() if one.code != "not-locked"] == []


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("COPILOT_API_KEY", True), ("client_secret", True), ("password", True), ("db.password", True), ("TOKEN", True),
        ("api-key", True), ("COPILOT_TOKENS_MAX", False), ("keyboard", False), ("secretary", False), ("key", False),
        ("PUBLIC_KEY", False), ("partition_key", False),
    ],
)  # fmt: skip
def test_names_that_say_they_hold_a_secret(name: str, is_one: bool) -> None:
    assert is_secret_name(name) is is_one


def test_a_value_under_such_a_name_is_refused(tmp_path: Path) -> None:
    for value, refused in (("hunter2", True), ('"env:APP_PASSWORD"', False), ('""', False)):
        text = ENVIRONMENT.replace(
            'default: {driver: python, object: "shop_app:evaluate", timeout_s: 1}',
            f"default: {{driver: authzen, launch: {{command: [python, app.py], env: {{APP_PASSWORD: {value}}}}}}}",
        )
        make_shop(tmp_path, environment=text)
        codes = [one.code for one in Workspace.open(tmp_path).check() if one.code != "not-locked"]
        assert codes == (["literal-secret"] if refused else [])
