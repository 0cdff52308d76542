"""Secrets do not survive in a text, in whichever form they travel; other text does."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.drivers.redaction import DETAIL_CHARS_MAX, Redactor, redact

SECRET = 'k3y/with+odd "chars" & umläut'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower().replace("k3y", "k3y"),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET)[1:-1],
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        *(base64.b64encode(b"x" * n + b":" + SECRET.encode() + b"!").decode() for n in range(4)),
    ],
)
def test_each_form_of_a_secret_is_replaced(form: str) -> None:
    said = redact(f"before {form} after", {"key": SECRET})
    assert said.startswith("before ")
    assert said.endswith(" after")
    assert "[redacted]" in said
    for part in (SECRET[:6], form[4:12]):
        assert part not in said


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Authorization: Bearer abcdef123456.xyz", "abcdef123456"),
        ("authorization: basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNz"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln is bad", "eyJhbGci"),
        ("key sk-abcdefghijklmnopqrstuvwx", "abcdefghijklmnop"),
        ('{"api_key": "hunter2hunter2"}', "hunter2"),
        ("password=hunter2hunter2", "hunter2"),
        ("postgres://user:hunter2@db/app", "hunter2"),
        ("-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBg\n-----END PRIVATE KEY-----", "MIIB"),
    ],
)
def test_what_looks_like_a_credential_is_replaced(text: str, gone: str) -> None:
    assert gone not in redact(text, [])


@pytest.mark.parametrize(
    "text",
    ["", "deny not_in_plan", "the bearer of bad news", "basic auth failed", "GET http://127.0.0.1:8000/a?b=c 403"],
)
def test_innocent_text_stays(text: str) -> None:
    assert redact(text, ["s3cr3t-value", ""]) == text


def test_a_long_text_is_cut_and_a_secret_at_the_cut_is_not_halved() -> None:
    secret = "0123456789abcdefghij" * 20
    for before in range(DETAIL_CHARS_MAX - 450, DETAIL_CHARS_MAX + 5, 7):
        said = redact("x" * before + secret + "y" * 5_000, [secret])
        assert len(said) <= DETAIL_CHARS_MAX
        assert "01234" not in said
        assert said.endswith("...")


def test_a_credential_longer_than_the_text_that_is_kept_is_replaced_whole() -> None:
    said = redact("Bearer " + "q" * 50_000 + " end", [])
    assert said == "Bearer [redacted] end"


def test_work_is_bounded_by_what_is_kept() -> None:
    redactor = Redactor(["s3cr3t-value"])
    started = time.perf_counter()
    assert len(redactor("a" * 20_000_000)) == DETAIL_CHARS_MAX
    assert time.perf_counter() - started < 5


def test_lines_of_a_secret_of_many_lines_are_secrets_too() -> None:
    secret = "first-line-of-key\nsecond-line-of-key\nab"
    assert redact("log: second-line-of-key", [secret]) == "log: [redacted]"


@given(st.text(min_size=6, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_secret_is_never_left_in(secret: str, before: str, after: str) -> None:
    said = Redactor([secret])(before + secret + after)
    assert said.replace("[redacted]", "").count(secret) <= (before + after).count(secret)
    assert "[redacted]" in said or not secret.strip()
