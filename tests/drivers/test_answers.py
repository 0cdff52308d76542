"""Reading an answer: the agreed shape is a decision, anything else a fault, and nothing is ever guessed."""

from __future__ import annotations

import os
import random
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.drivers.answers import answer_reader, read_answer
from plangate.drivers.redaction import Redactor
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.verdicts.observation import Fault, Observed

LIMIT = {"name": "exports", "limit": 50, "remaining": 0, "resets_at": "2026-12-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("answer", "observed"),
    [
        ({"decision": True}, Observed(effect=Effect.ALLOW)),
        ({"decision": False}, Observed(effect=Effect.DENY)),
        ({"decision": True, "context": {}}, Observed(effect=Effect.ALLOW)),
        (
            {"decision": True, "context": {"effect": "allow", "reason": "entitled"}},
            Observed(effect=Effect.ALLOW, reason="entitled"),
        ),
        (
            {"decision": False, "context": {"reason": "not_in_plan"}},
            Observed(effect=Effect.DENY, reason="not_in_plan"),
        ),
        (
            {"decision": False, "context": {"effect": "require_approval", "reason": "approval_required"}},
            Observed(effect=Effect.REQUIRE_APPROVAL, reason="approval_required"),
        ),
        (
            {"decision": False, "context": {"effect": "deny", "reason": "limit_exceeded", "limit": LIMIT}},
            Observed(
                effect=Effect.DENY,
                reason="limit_exceeded",
                limit=LimitDetail("exports", 50, 0, "2026-12-01T00:00:00Z"),
            ),
        ),
        (
            {"decision": False, "context": {"limit": {"name": "exports", "limit": 50, "remaining": -3}}},
            Observed(effect=Effect.DENY, limit=LimitDetail("exports", 50, -3)),
        ),
        (
            {"decision": True, "context": {"effect": None, "reason": None, "limit": None, "error": None}, "trace": "x"},
            Observed(effect=Effect.ALLOW),
        ),
        ({"decision": True, "context": None}, Observed(effect=Effect.ALLOW)),
    ],
)
def test_the_agreed_shape_is_a_decision(answer: object, observed: Observed) -> None:
    assert read_answer(answer) == observed
    assert read_answer(answer) == observed, "the second reading comes from the table"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        True,
        "allow",
        [],
        {},
        {"decision": None},
        {"decision": "yes"},
        {"decision": "true"},
        {"decision": 1},
        {"decision": 1.0},
        {"decision": 0},
        {"decision": {"allow": True}},
        {"allow": True},
        {"decision": True, "context": []},
        {"decision": True, "context": "allow"},
        {"decision": True, "context": {"effect": "deny"}},
        {"decision": True, "context": {"effect": "require_approval"}},
        {"decision": False, "context": {"effect": "allow"}},
        {"decision": True, "context": {"effect": "ALLOW"}},
        {"decision": True, "context": {"effect": ["allow"]}},
        {"decision": True, "context": {"effect": True}},
        {"decision": True, "context": {"reason": ["entitled"]}},
        {"decision": True, "context": {"reason": 7}},
        {"decision": True, "context": {"reason": "x" * 201}},
        {"decision": True, "context": {"reason": "\ud800"}},
        {"decision": False, "context": {"limit": 50}},
        {"decision": False, "context": {"limit": {}}},
        {"decision": False, "context": {"limit": {"name": "", "limit": 5, "remaining": 0}}},
        {"decision": False, "context": {"limit": {"name": "exports", "limit": 50}}},
        {"decision": False, "context": {"limit": {"name": "exports", "limit": "50", "remaining": 0}}},
        {"decision": False, "context": {"limit": {"name": "exports", "limit": 50.0, "remaining": 0}}},
        {"decision": False, "context": {"limit": {"name": "exports", "limit": True, "remaining": 0}}},
        {"decision": False, "context": {"limit": {"name": "exports", "limit": 2**63, "remaining": 0}}},
        {"decision": False, "context": {"limit": {"name": 5, "limit": 50, "remaining": 0}}},
        {"decision": False, "context": {"limit": {"name": "exports", "limit": 50, "remaining": 0, "resets_at": 5}}},
    ],
)
def test_anything_else_is_malformed_and_never_a_decision(answer: object) -> None:
    for _ in range(2):
        observed = read_answer(answer)
        assert observed.effect is None
        assert observed.fault is Fault.MALFORMED
        assert observed.detail
        assert len(observed.detail) <= 2_000


def test_numbers_that_equal_a_boolean_are_not_answered_from_the_table() -> None:
    read = answer_reader()
    assert read({"decision": True, "context": {"limit": {"name": "a", "limit": 1, "remaining": 0}}}).fault is None
    for twin in ({"decision": 1, "context": {}}, {"decision": 1.0}):
        assert read({"decision": True}).effect is Effect.ALLOW
        assert read(twin).fault is Fault.MALFORMED
    for number in (1.0, True):
        limit = {"name": "a", "limit": number, "remaining": 0}
        assert read({"decision": True, "context": {"limit": limit}}).fault is Fault.MALFORMED


def test_an_error_in_the_context_is_a_fault_and_not_a_denial() -> None:
    observed = read_answer({"decision": False, "context": {"error": {"status": 500, "message": "store is down"}}})
    assert observed.fault is Fault.RAISED
    assert "store is down" in (observed.detail or "")


def test_an_error_in_the_context_is_a_fault_after_a_denial_like_it() -> None:
    """What is remembered of the denial must not stand in for an app that could not decide."""
    for context in ({}, {"reason": "not_in_plan"}, {"reason": "limit_exceeded", "limit": LIMIT}):
        read = answer_reader()
        assert read({"decision": False, "context": context}).effect is Effect.DENY
        assert read({"decision": False, "context": {**context, "error": "no database"}}).fault is Fault.RAISED


def test_words_of_an_enum_of_the_app_become_plain_text() -> None:
    class Theirs(StrEnum):
        ALLOW = "allow"
        ENTITLED = "entitled"

    observed = answer_reader()({"decision": True, "context": {"effect": Theirs.ALLOW, "reason": Theirs.ENTITLED}})
    assert (observed.effect, type(observed.reason), observed.reason) == (Effect.ALLOW, str, "entitled")


def test_secrets_are_redacted_in_reasons_limits_and_details() -> None:
    secret = "p4ssw0rd-of-the-app"
    read = answer_reader(Redactor([secret]))
    limit = {"name": secret, "limit": 1, "remaining": 0, "resets_at": secret}
    said = [
        read({"decision": False, "context": {"reason": f"bad key {secret}", "limit": limit}}),
        read({"decision": "yes", "key": "x" * 110 + secret}),
        read({"decision": False, "context": {"error": secret}}),
        read({secret: secret}),
    ]
    for observed in said:
        assert secret[:8] not in repr(observed)


def test_a_reason_of_the_closed_list_survives_a_careless_secret() -> None:
    read = answer_reader(Redactor(["plan", "entitled"]))
    assert read({"decision": False, "context": {"reason": "not_in_plan"}}).reason == "not_in_plan"
    assert read({"decision": False, "context": {"reason": "no plan"}}).reason == "no [redacted]"


def test_a_value_that_cannot_describe_itself_is_malformed() -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert read_answer(Hostile()).fault is Fault.MALFORMED
    assert read_answer({"decision": Hostile()}).fault is Fault.MALFORMED
    assert read_answer({"decision": 10**5000}).fault is Fault.MALFORMED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
words = st.sampled_from(["allow", "deny", "require_approval", "entitled", None, 1, True, []]) | json_values
near_answers = st.fixed_dictionaries(
    {},
    optional={
        "decision": st.booleans() | json_values,
        "context": st.fixed_dictionaries({}, optional={"effect": words, "reason": words, "limit": json_values}) | words,
    },
)


@given(near_answers | json_values)
def test_any_value_is_a_decision_or_a_fault_and_the_same_twice(value: object) -> None:
    observed = read_answer(value)
    assert (observed.effect is None) != (observed.fault is None)
    if observed.effect is not None:
        assert isinstance(value, dict)
        assert value["decision"] is (observed.effect is Effect.ALLOW)
    assert read_answer(value) == observed


def _random_answer(chance: random.Random) -> object:
    """An answer near the agreed shape: most parts right, each wrong in some way now and then."""

    def some(*likely: object) -> object:
        odd: tuple[object, ...] = (None, {}, [], 0, 1, -1, 1.0, True, False, "", "x", {"name": "n"}, 2**63, "\ud800")
        return chance.choice(odd) if chance.random() < 0.2 else chance.choice(likely)

    context: dict[str, object] = {}
    for name, likely in {
        "effect": ("allow", "deny", "require_approval"),
        "reason": ("entitled", "not_in_plan", "limit_exceeded"),
        "error": (None,),
    }.items():
        if chance.random() < 0.5:
            context[name] = some(*likely)
    if chance.random() < 0.5:
        members = {"name": ("exports",), "limit": (1, 50), "remaining": (0, 1), "resets_at": ("soon", None)}
        limit = {name: some(*likely) for name, likely in members.items() if chance.random() < 0.9}
        context["limit"] = some(limit)
    answer: dict[str, object] = {}
    if chance.random() < 0.98:
        answer["decision"] = some(True, False)
    if chance.random() < 0.9:
        answer["context"] = some(context)
    return some(answer)


def test_what_was_read_before_never_changes_what_is_read_now() -> None:
    """A reader that remembers agrees with a fresh one; ran once with 300,000 answers (PLANGATE_ANSWERS=300000)."""
    chance = random.Random(7)
    remembering = answer_reader()
    decisions = 0
    for _ in range(int(os.environ.get("PLANGATE_ANSWERS", "20000"))):
        answer = _random_answer(chance)
        fresh = answer_reader()(answer)
        decisions += fresh.effect is not None
        assert remembering(answer) == fresh, answer
    assert decisions > 2_000, "and many of them were decisions, so that there was something to remember"


@pytest.mark.parametrize("limit", [{}, [], 0, False, ""])
def test_a_limit_that_is_nothing_is_malformed_also_after_an_answer_without_one(limit: object) -> None:
    read = answer_reader()
    assert read({"decision": False, "context": {}}).effect is Effect.DENY
    assert read({"decision": False, "context": {"limit": limit}}).fault is Fault.MALFORMED
