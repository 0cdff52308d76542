"""The app's AuthZEN decision point: discovery, single and batch, as the specification words them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.examples.asking import question
from tests.examples.running import Shop, serving

ALLOWED, REFUSED = question("report.export"), question("report.export", plan="free")


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with serving() as running:
        yield running


def batch(shop: Shop, **body: Any) -> httpx2.Response:
    return shop.client.post("/access/v1/evaluations", json=body)


def decisions(answer: httpx2.Response) -> list[bool]:
    return [each["decision"] for each in answer.json()["evaluations"]]


def test_discovery_names_addresses_that_answer(shop: Shop) -> None:
    said = shop.client.get("/.well-known/authzen-configuration").json()
    assert said["policy_decision_point"] == str(shop.client.base_url).rstrip("/")
    assert shop.client.post(said["access_evaluation_endpoint"], json=ALLOWED).json()["decision"] is True
    assert decisions(shop.client.post(said["access_evaluations_endpoint"], json={"evaluations": [REFUSED]})) == [False]


def test_a_refusal_is_an_answer_and_not_an_error(shop: Shop) -> None:
    answer = shop.client.post("/access/v1/evaluation", json=REFUSED)
    assert answer.status_code == 200
    assert answer.json() == {"decision": False, "context": {"effect": "deny", "reason": "not_in_plan"}}


def test_a_batch_is_answered_item_by_item_in_order(shop: Shop) -> None:
    assert decisions(batch(shop, evaluations=[ALLOWED, REFUSED, ALLOWED])) == [True, False, True]


def test_items_that_share_an_id_are_still_judged_each_by_its_own_properties(shop: Shop) -> None:
    assert ALLOWED["subject"]["id"] == REFUSED["subject"]["id"]
    assert decisions(batch(shop, evaluations=[REFUSED, ALLOWED])) == [False, True]


def test_top_level_entities_stand_in_for_missing_ones_whole(shop: Shop) -> None:
    others = {name: ALLOWED[name] for name in ("action", "resource", "context")}
    answer = batch(shop, **others, evaluations=[{"subject": ALLOWED["subject"]}, {"subject": REFUSED["subject"]}])
    assert decisions(answer) == [True, False]


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [("execute_all", [True, False, True]), ("deny_on_first_deny", [True, False]), ("permit_on_first_permit", [True])],
)
def test_a_batch_may_end_early(shop: Shop, semantic: str, expected: list[bool]) -> None:
    answer = batch(shop, evaluations=[ALLOWED, REFUSED, ALLOWED], options={"evaluations_semantic": semantic})
    assert decisions(answer) == expected


def test_a_batch_without_items_is_one_evaluation(shop: Shop) -> None:
    assert batch(shop, **ALLOWED).json()["decision"] is True
    assert batch(shop, **REFUSED, evaluations=[]).json()["decision"] is False


def test_an_item_that_cannot_be_read_is_refused_and_says_so(shop: Shop) -> None:
    answer = batch(shop, evaluations=[ALLOWED, {"action": {"name": "x"}}, 7])
    assert decisions(answer) == [True, False, False]
    assert [bool(each["context"].get("error")) for each in answer.json()["evaluations"]] == [False, True, True]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"subject": {"type": "tenant"}}'])
def test_what_cannot_be_read_is_400(shop: Shop, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert shop.client.post("/access/v1/evaluation", content=body, headers=headers).status_code == 400


def test_another_content_type_is_400(shop: Shop) -> None:
    assert (
        shop.client.post("/access/v1/evaluation", content=b"{}", headers={"Content-Type": "text/plain"}).status_code
        == 400
    )


def test_a_request_id_comes_back(shop: Shop) -> None:
    answer = shop.client.post("/access/v1/evaluation", json=ALLOWED, headers={"X-Request-ID": "q-17"})
    assert answer.headers["X-Request-ID"] == "q-17"


def test_fields_nobody_knows_are_ignored(shop: Shop) -> None:
    assert shop.client.post("/access/v1/evaluation", json={**ALLOWED, "mood": "good"}).json()["decision"] is True


def test_with_a_key_only_its_holders_are_answered() -> None:
    with serving(pdp_key="correct") as shop:
        for sent, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": "Bearer correct"}, 200),
        ):
            assert shop.client.post("/access/v1/evaluation", json=ALLOWED, headers=sent).status_code == status


def test_its_decisions_are_on_record(shop: Shop) -> None:
    shop.arrange("t-1")
    before = len(shop.audit("t-1"))
    shop.client.post("/access/v1/evaluation", json=REFUSED)
    assert [record["reason"] for record in shop.audit("t-1")[before:]] == ["not_in_plan"]
