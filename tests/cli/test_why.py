"""`plangate why` answers one request with the decision, the rule, the line, and each rule passed on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plangate.cli.why import command
from plangate.errors import InputError
from tests.cli.shops import ENVIRONMENT, make_shop

CATALOG = """
apiVersion: plangate/v1
kind: PlanCatalog
metadata: {name: shop, version: 1.0.0}
offer: {model: saas, id: shop}
capabilities:
  kb.search: {effect: read, consumes: {messages: 1}, uses: [data_scope, max_steps]}
  report.export: {effect: read, uses: [region]}
  mail.send: {effect: external, scopes: [{name: Mail.Send, consent: admin}]}
limits:
  messages: {unit: message, window: day}
settings:
  data_scope: {order: [own, team]}
  region: {order: [home, world]}
  max_steps: {integer: {minimum: 1}}
states:
  Suspended: {retains: [report.export]}
addons:
  mailer: {grants: [mail.send]}
plans:
  free: {grants: [kb.search], limits: {messages: 20}, settings: {data_scope: own, max_steps: 3}}
  pro:
    extends: free
    grants: [report.export]
    settings: {region: home}
"""
POLICY = "  policy: {denied: [mail.send], max_steps: 2}\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path, catalog=CATALOG)


def line_of(text: str, *, column_of: str = "") -> str:
    """`line:column` of the one line of the catalog that holds `text`."""
    (number,) = [n for n, line in enumerate(CATALOG.lstrip("\n").split("\n"), start=1) if text in line]
    line = CATALOG.lstrip("\n").split("\n")[number - 1]
    return f"{number}:{line.index(column_of or text) + 1}"


def why(shop: Path, *arguments: str) -> str:
    result = CliRunner().invoke(command, ["dev", "-w", str(shop), *arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    assert result.return_value == 0
    return result.output


def why_json(shop: Path, *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(why(shop, *arguments, "--json"))
    return document


def decided(shop: Path, *arguments: str) -> tuple[str, str]:
    document = why_json(shop, *arguments)
    return document["rule"], document["decision"]["reason"]


def test_refusal_is_told_with_rule_file_line_and_the_line_itself(shop: Path) -> None:
    out = why(shop, "--plan", "free", "--capability", "report.export").split("\n")
    place = line_of("  free: {grants", column_of="[kb.search]")
    number, column = place.split(":")
    assert out[0] == f"deny: not_in_plan, by rule D6 at envs/plans/shop/1.0.0.yaml:{place}"
    assert out[1].startswith(f"  {number} |   free: {{grants: [kb.search]")
    assert out[2].index("^") - out[1].index("|") - 2 == int(column) - 1
    assert [line.split()[:2] for line in out[4:10]] == [
        ["D1", "passed"],
        ["D2", "passed"],
        ["D3", "passed"],
        ["D4", "passed"],
        ["D5", "passed"],
        ["D6", "decided"],
    ]


def test_json_carries_decision_rule_place_line_and_every_rule_passed(shop: Path) -> None:
    document = why_json(shop, "--plan", "pro", "--capability", "report.export")
    place = f"envs/plans/shop/1.0.0.yaml:{line_of('grants: [report.export]', column_of='report.export')}"
    assert document["decision"] == {"effect": "allow", "reason": "entitled"}
    assert (document["rule"], document["where"]) == ("D11", place)
    assert document["line"] == "    grants: [report.export]"
    assert [step["rule"] for step in document["rules"]] == [f"D{number}" for number in range(1, 12)]
    assert [step["outcome"] for step in document["rules"]] == ["passed"] * 10 + ["decided"]
    assert (document["catalog"], document["notes"]) == ("shop@1.0.0", [])


def test_usage_reaches_the_limit(shop: Path) -> None:
    document = why_json(shop, "--plan", "pro", "--capability", "kb.search", "--usage", "messages=20")
    assert document["decision"] == {
        "effect": "deny",
        "reason": "limit_exceeded",
        "limit": {"name": "messages", "limit": 20, "remaining": 0, "resets_at": "2026-01-02T00:00:00Z"},
    }
    assert decided(shop, "--plan", "pro", "--capability", "kb.search", "--usage", "messages=19") == ("D11", "entitled")


def test_scope_is_data_scope_where_the_capability_is_judged_on_it(shop: Path) -> None:
    asked = ("--plan", "free", "--capability", "kb.search", "--scope")
    assert decided(shop, *asked, "own") == ("D11", "entitled")
    assert decided(shop, *asked, "team") == ("D8", "out_of_scope")


def test_scope_is_the_only_order_setting_otherwise(shop: Path) -> None:
    assert decided(shop, "--plan", "pro", "--capability", "report.export", "--scope", "world") == ("D8", "out_of_scope")
    assert decided(shop, "--plan", "pro", "--capability", "report.export", "--scope", "home") == ("D11", "entitled")


def test_scope_without_any_such_setting_says_what_to_write(tmp_path: Path) -> None:
    shop = make_shop(tmp_path)
    with pytest.raises(InputError) as caught:
        why(shop, "--plan", "pro", "--capability", "kb.search", "--scope", "org")
    assert caught.value.code == "no-scope-setting"
    assert "--setting" in caught.value.hint


def test_setting_is_read_as_its_kind(shop: Path) -> None:
    asked = ("--plan", "free", "--capability", "kb.search", "--setting")
    assert decided(shop, *asked, "max_steps=3") == ("D11", "entitled")
    assert decided(shop, *asked, "max_steps=4") == ("D8", "out_of_scope")
    assert decided(shop, *asked, "max_steps=many") == ("D8", "out_of_scope")


def test_consent_is_full_unless_given(shop: Path) -> None:
    asked = ("--plan", "free", "--capability", "mail.send", "--addon", "mailer")
    assert decided(shop, *asked) == ("D11", "entitled")
    assert decided(shop, *asked, "--consent", "none") == ("D7", "consent_required")
    assert decided(shop, *asked, "--consent", "Mail.Send=user") == ("D7", "consent_required")
    assert decided(shop, *asked, "--consent", "Mail.Send=admin") == ("D11", "entitled")


def test_state_override_and_link_are_the_subject_s(shop: Path) -> None:
    asked = ("--plan", "pro", "--capability", "kb.search")
    assert decided(shop, *asked, "--state", "Suspended") == ("D4", "suspended")
    assert decided(shop, *asked, "--unlinked") == ("D3", "tenant_not_linked")
    assert decided(shop, *asked, "--override", "revoke") == ("D6", "revoked")
    granted = ("--plan", "free", "--capability", "report.export", "--override", "grant")
    assert decided(shop, *granted) == ("D11", "entitled")


def test_unknown_names_are_decided_and_noted_with_a_suggestion(shop: Path) -> None:
    document = why_json(shop, "--plan", "fre", "--capability", "kb.search", "--usage", "mesages=1", "--addon", "mail")
    assert document["decision"] == {"effect": "deny", "reason": "unknown_plan"}
    assert document["notes"] == [
        "shop 1.0.0 has no plan 'fre': did you mean 'free'?",
        "shop 1.0.0 has no limit 'mesages': did you mean 'messages'?",
        "shop 1.0.0 has no add-on 'mail': did you mean 'mailer'?",
    ]
    assert decided(shop, "--plan", "free", "--capability", "kb.serch") == ("D1", "unknown_capability")


def test_setting_that_nothing_judges_is_noted(shop: Path) -> None:
    document = why_json(shop, "--plan", "free", "--capability", "kb.search", "--setting", "region=world")
    assert (document["rule"], document["notes"]) == ("D11", ["kb.search is not judged on the setting region"])


def test_policy_of_the_environment_is_told_at_its_line_in_the_environment(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, catalog=CATALOG, environment=ENVIRONMENT.rstrip("\n") + "\n" + POLICY)
    lines = (shop / "envs" / "dev.yaml").read_text(encoding="utf-8").split("\n")
    number = lines.index(POLICY.rstrip("\n")) + 1
    denied = why_json(shop, "--plan", "free", "--capability", "mail.send", "--addon", "mailer")
    assert denied["where"] == f"envs/dev.yaml:{number}:{POLICY.index('mail.send') + 1}"
    assert denied["line"] == POLICY.rstrip("\n")
    steps = why_json(shop, "--plan", "free", "--capability", "kb.search", "--setting", "max_steps=3")
    assert steps["where"] == f"envs/dev.yaml:{number}:{POLICY.index('2}') + 1}"
    assert steps["decision"] == {"effect": "deny", "reason": "out_of_scope", "setting": "max_steps"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--usage", "messages"),
        ("--usage", "messages=-1"),
        ("--usage", "messages=1e3"),
        ("--usage", "=1"),
        ("--setting", "max_steps"),
        ("--consent", "Mail.Send"),
        ("--consent", "Mail.Send=owner"),
        ("--quantity", "-1"),
        ("--override", "extend"),
    ],
)
def test_options_that_cannot_be_read_are_refused(shop: Path, arguments: tuple[str, str]) -> None:
    result = CliRunner().invoke(
        command, ["dev", "-w", str(shop), "--plan", "free", "--capability", "kb.search", *arguments]
    )
    assert result.exit_code == 2
    assert arguments[0] in result.output


def test_environment_that_does_not_exist_is_refused_with_a_suggestion(shop: Path) -> None:
    with pytest.raises(InputError) as caught:
        CliRunner().invoke(
            command,
            ["dve", "-w", str(shop), "--plan", "a", "--capability", "b"],
            standalone_mode=False,
            catch_exceptions=False,
        )
    assert caught.value.code == "unknown-environment"


def test_several_catalogs_need_a_choice(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, environment=ENVIRONMENT.replace("{shop: 1.0.0}", "{shop: 1.0.0, desk: 1.0.0}"))
    other = shop / "envs" / "plans" / "desk" / "1.0.0.yaml"
    other.parent.mkdir()
    other.write_text(CATALOG.lstrip("\n").replace("name: shop", "name: desk"), encoding="utf-8")
    asked = ("--plan", "free", "--capability", "mail.send")
    with pytest.raises(InputError) as caught:
        why(shop, *asked)
    assert caught.value.code == "several-catalogs"
    assert why_json(shop, *asked, "--catalog", "desk")["catalog"] == "desk@1.0.0"
    with pytest.raises(InputError) as caught:
        why(shop, *asked, "--catalog", "dusk")
    assert caught.value.code == "unknown-plan-catalog"


def test_long_line_is_cut_around_the_place(tmp_path: Path) -> None:
    many = ", ".join(f"cap{number:03}" for number in range(200))
    names = "\n".join(f"  cap{number:03}: {{}}" for number in range(200))
    catalog = f"""
apiVersion: plangate/v1
kind: PlanCatalog
metadata: {{name: shop, version: 1.0.0}}
offer: {{model: saas, id: shop}}
capabilities:
{names}
plans:
  free: {{grants: [{many}]}}
"""
    out = why(make_shop(tmp_path, catalog=catalog), "--plan", "free", "--capability", "cap150").split("\n")
    assert len(out[1]) < 180
    assert out[1][out[2].index("^") :].startswith("cap150")
