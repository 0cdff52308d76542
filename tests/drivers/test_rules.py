"""`decide` rules read an answer the same way each time it comes, limits included."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plangate.documents.environment import DecideRule, LimitPaths
from plangate.drivers.rules import ReplyReader, compile_rules
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.errors import InputError
from plangate.verdicts.observation import Fault, Observed

QUOTA = LimitPaths(name="$.quota.name", limit="/quota/max", remaining="$.quota.left", resets_at="$.quota.resets")
FULL = {"name": "exports", "max": 50, "left": 0, "resets": "2026-02-01T00:00:00Z"}


def reader(*rules: DecideRule, redact: Any = str) -> ReplyReader:
    return compile_rules(rules, redact=redact, where="decide")


def limited(limit: LimitPaths = QUOTA, *, statuses: tuple[int, ...] = (429,)) -> DecideRule:
    return DecideRule(statuses=statuses, effect="deny", reason="limit_exceeded", limit=limit)


def read(rule: DecideRule, body: object, *, status: int = 429) -> Observed:
    return reader(rule)(status, json.dumps(body).encode())


def test_a_rule_reads_the_limit_that_an_answer_tells() -> None:
    told = LimitDetail("exports", 50, 0, "2026-02-01T00:00:00Z")
    assert read(limited(), {"quota": FULL}) == Observed(effect=Effect.DENY, reason="limit_exceeded", limit=told)


def test_parts_of_a_limit_may_be_written_into_the_rule() -> None:
    paths = LimitPaths(name="exports", limit=50, remaining="$.left")
    assert read(limited(paths), {"left": 3}).limit == LimitDetail("exports", 50, 3)
    constant = limited(LimitPaths(name="exports", limit=50, remaining=0))
    assert read(constant, {}).limit == LimitDetail("exports", 50, 0)


@pytest.mark.parametrize("part", ["name", "max", "left"])
@pytest.mark.parametrize("how", ["absent", "null"])
def test_a_limit_that_is_not_all_there_is_not_told(part: str, how: str) -> None:
    quota: dict[str, Any] = {**FULL, part: None}
    if how == "absent":
        del quota[part]
    assert read(limited(), {"quota": quota}) == Observed(effect=Effect.DENY, reason="limit_exceeded")
    assert read(limited(), {"other": 1}) == Observed(effect=Effect.DENY, reason="limit_exceeded")


def test_when_a_limit_starts_again_may_be_left_untold() -> None:
    quota = {name: value for name, value in FULL.items() if name != "resets"}
    assert read(limited(), {"quota": quota}).limit == LimitDetail("exports", 50, 0)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("name", 7),
        ("name", ""),
        ("name", "x" * 201),
        ("max", "50"),
        ("max", 50.0),
        ("max", True),
        ("max", 2**63),
        ("left", []),
        ("resets", 1769904000),
    ],
)
def test_a_limit_of_the_wrong_type_is_malformed(part: str, value: object) -> None:
    observed = read(limited(), {"quota": {**FULL, part: value}})
    assert (observed.effect, observed.fault) == (None, Fault.MALFORMED)
    assert "limit." in (observed.detail or "")


def test_a_limit_is_read_from_json_only() -> None:
    assert reader(limited())(429, b"<html>slow down</html>").fault is Fault.MALFORMED


def test_a_path_of_a_limit_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(InputError) as caught:
        reader(limited(LimitPaths(name="exports", limit="$max", remaining=0)))
    assert (caught.value.code, caught.value.where) == ("bad-path", "decide[0].limit.limit")


def test_a_limit_holds_no_secret() -> None:
    rule = limited(LimitPaths(name="$.name", limit=1, remaining=0, resets_at="$.at"))
    read_one = reader(rule, redact=lambda text: text.replace("s3cr3t", "[redacted]"))
    observed = read_one(429, b'{"name": "of s3cr3t", "at": "s3cr3t"}')
    assert observed.limit == LimitDetail("of [redacted]", 1, 0, "[redacted]")


# --- what is remembered ----------------------------------------------------------------------------------------------


def test_answers_that_differ_only_in_their_limit_are_told_apart() -> None:
    read_one = reader(limited())
    for left in (0, 3, 0, 3):
        observed = read_one(429, json.dumps({"quota": {**FULL, "left": left}}).encode())
        assert observed.limit is not None
        assert observed.limit.remaining == left


def test_one_body_under_two_statuses_is_two_answers() -> None:
    rules = (
        DecideRule(statuses=(200,), effect="allow", reason="$.why"),
        DecideRule(statuses=(402,), effect="deny", reason="$.why"),
    )
    read_one = reader(*rules)
    for status, effect in ((200, Effect.ALLOW), (402, Effect.DENY), (200, Effect.ALLOW)):
        assert read_one(status, b'{"why": "plan"}') == Observed(effect=effect, reason="plan")


def test_without_rules_only_a_200_is_read() -> None:
    read_one = reader()
    body = b'{"decision": true}'
    assert read_one(200, body).effect is Effect.ALLOW
    assert read_one(201, body).fault is Fault.UNMATCHED
    assert read_one(403, body).fault is Fault.UNMATCHED


def test_who_asks_unsigned_is_told_nothing_about_a_plan() -> None:
    """401 is about plangate's own key; a rule that reads it as a denial would make an expired key pass."""
    denial = DecideRule(statuses=(401, 403), effect="deny", reason="not_in_plan")
    anything = DecideRule(effect="deny", reason="not_in_plan")
    for rules in ((denial,), (anything,), (denial, anything), ()):
        observed = reader(*rules)(401, b'{"error": {"code": "token_expired"}}')
        assert (observed.effect, observed.fault) == (None, Fault.UNMATCHED)
        assert "key or token" in (observed.detail or "")
        assert "token_expired" in (observed.detail or "")
    assert reader(denial)(403, b"{}").effect is Effect.DENY


HTML = b"<html>not now</html>"


def test_a_rule_that_needs_the_body_is_never_passed_over_for_a_later_one() -> None:
    asks = DecideRule(statuses=(403,), effect="deny", reason="$.why")
    later = DecideRule(effect="allow")
    assert reader(asks, later)(403, HTML).fault is Fault.MALFORMED


def test_a_condition_on_the_body_holds_for_no_answer_that_is_no_json() -> None:
    asks = DecideRule(statuses=(403,), json={"$.denied": True}, effect="allow")
    later = DecideRule(statuses=(403,), effect="deny")
    assert reader(asks, later)(403, HTML) == Observed(effect=Effect.DENY)
    assert reader(asks)(403, HTML).fault is Fault.MALFORMED
