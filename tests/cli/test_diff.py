"""`plangate diff` tells what another catalog, or another environment, decides otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plangate.cli.diff import command
from plangate.errors import InputError
from tests.cli.shops import CATALOG, ENVIRONMENT, make_shop

NEWER = (
    CATALOG.replace("version: 1.0.0", "version: 1.1.0")
    .replace("free: {grants: [kb.search]", "free: {grants: [kb.search, report.export]")
    .replace("messages: 500", "messages: 300")
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    shop = make_shop(tmp_path)
    (shop / "envs" / "plans" / "shop" / "1.1.0.yaml").write_text(NEWER.lstrip("\n"), encoding="utf-8")
    stage = ENVIRONMENT.replace("name: dev", "name: stage").replace("{shop: 1.0.0}", "{shop: 1.1.0}")
    (shop / "envs" / "stage.yaml").write_text(stage.lstrip("\n"), encoding="utf-8")
    return shop


def diff(shop: Path, *arguments: str) -> str:
    result = CliRunner().invoke(command, ["-w", str(shop), *arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    assert result.return_value == 0
    return result.output


def diff_json(shop: Path, *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(diff(shop, *arguments, "--json"))
    return document


def test_versions_are_compared_in_sentences_and_a_table(shop: Path) -> None:
    assert diff(shop, "1.0.0", "1.1.0").split("\n") == [
        "shop 1.0.0 -> shop 1.1.0",
        "",
        "free gains report.export",
        "pro loses 200 messages a day (500, now 300)",
        "",
        "plan  capability     state       before            after",
        "free  report.export  Subscribed  deny not_in_plan  allow entitled",
        "",
    ]


def test_json_has_the_shape_that_promotion_shares(shop: Path) -> None:
    document = diff_json(shop, "dev", "stage")
    assert document["decision_changes"] == [
        {
            "plan": "free",
            "state": "Subscribed",
            "capability": "report.export",
            "before": {"effect": "deny", "reason": "not_in_plan"},
            "after": {"effect": "allow", "reason": "entitled"},
        }
    ]
    assert document["limit_changes"] == [{"plan": "pro", "limit": "messages", "before": 500, "after": 300}]
    assert (document["setting_changes"], document["term_changes"]) == ([], [])
    assert document["before"] == {"name": "dev", "catalog": "shop@1.0.0"}
    assert document["after"] == {"name": "stage", "catalog": "shop@1.1.0"}
    assert document["sentences"] == ["free gains report.export", "pro loses 200 messages a day (500, now 300)"]


def test_environment_catalog_and_version_name_the_same_side(shop: Path) -> None:
    changes = [diff_json(shop, before, "shop@1.1.0")["decision_changes"] for before in ("dev", "shop@1.0.0", "1.0.0")]
    assert changes[0] == changes[1] == changes[2] != []


def test_what_is_alike_says_so(shop: Path) -> None:
    assert diff(shop, "stage", "1.1.0").split("\n")[2] == "No decision, limit or setting differs."
    assert diff_json(shop, "stage", "1.1.0")["decision_changes"] == []


def test_policy_of_an_environment_counts(shop: Path) -> None:
    strict = (shop / "envs" / "stage.yaml").read_text(encoding="utf-8") + "  policy: {denied: [kb.search]}\n"
    (shop / "envs" / "stage.yaml").write_text(strict, encoding="utf-8")
    assert "free loses kb.search (prohibited)" in diff(shop, "1.1.0", "stage")


def test_refusals_that_only_give_another_reason_are_counted_not_listed(shop: Path) -> None:
    newer = NEWER.replace("version: 1.1.0", "version: 1.2.0").replace(
        "report.export: {effect: read}", "report.export: {effect: read}\n  fax.send: {effect: external}"
    )
    (shop / "envs" / "plans" / "shop" / "1.2.0.yaml").write_text(newer.lstrip("\n"), encoding="utf-8")
    out = diff(shop, "1.1.0", "1.2.0")
    assert "the capability fax.send is new" in out
    assert "4 more decisions only give another reason; --json has them" in out
    assert len(diff_json(shop, "1.1.0", "1.2.0")["decision_changes"]) == 4


@pytest.mark.parametrize(
    ("side", "code"),
    [
        ("stagee", "unknown-catalog-or-environment"),
        ("9.9.9", "unknown-catalog-or-environment"),
        ("shop@9.9.9", "unknown-plan-catalog"),
        ("", "unknown-catalog-or-environment"),
    ],
)
def test_side_that_is_nothing_is_refused_with_what_there_is(shop: Path, side: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        diff(shop, side, "dev")
    assert caught.value.code == code
    assert caught.value.hint


def test_version_of_several_catalogs_needs_its_name(shop: Path) -> None:
    desk = shop / "envs" / "plans" / "desk" / "1.0.0.yaml"
    desk.parent.mkdir()
    desk.write_text(CATALOG.lstrip("\n").replace("name: shop", "name: desk"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        diff(shop, "1.0.0", "1.1.0")
    assert caught.value.code == "several-catalogs"
    assert "desk@1.0.0" in caught.value.hint
    assert diff_json(shop, "1.0.0", "1.1.0", "--catalog", "shop")["before"]["catalog"] == "shop@1.0.0"
