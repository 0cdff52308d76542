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


# --- members of a secret that is a document --------------------------------------------------------------------------

PEM = """\
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASC
QhnoG2kfT9aVzDmpL8s=
-----END PRIVATE KEY-----
"""
ACCOUNT = {
    "type": "service_account",
    "project_id": "production",
    "private_key_id": "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "private_key": PEM,
    "client_email": "svc@example.invalid",
    "client_secret": "qT7zz-plum/9921+vv",
    "token_uri": "https://oauth2.example.invalid/token",
    "enabled": True,
    "retries": 3,
    "nested": {"list": ["word", {"pin": 4711}], "db": "postgres://app:pears%2Fplums@db/main"},
}
ENV_FILE = """\
# DATABASE_PASSWORD=old-password-1
export DATABASE_PASSWORD="hunter2!"
REGION=westeurope
AZURE = DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=Zm9vYmFyYmF6cXV4;EndpointSuffix=core.windows.net
session: k9-Zz81-qq
MODE='production'
"""


def encodings(text: str) -> list[str]:
    raw = text.encode()
    return [
        text,
        json.dumps(text)[1:-1],
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        base64.b64encode(b"u:" + raw + b"!").decode(),
        quote(raw, safe=""),
        quote_plus(raw),
        raw.hex(),
    ]


@pytest.mark.parametrize(
    ("secret", "member"),
    [
        *(
            (json.dumps(ACCOUNT), member)
            for member in (
                "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
                "qT7zz-plum/9921+vv",
                "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
                "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCQhnoG2kfT9aVzDmpL8s=",
                "4711",
                "pears%2Fplums",
                "pears/plums",
                "postgres://app:pears%2Fplums@db/main",
            )
        ),
        (json.dumps(ACCOUNT, indent=4), "qT7zz-plum/9921+vv"),
        *((ENV_FILE, member) for member in ("hunter2!", "Zm9vYmFyYmF6cXV4", "k9-Zz81-qq")),
        (PEM, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCQhnoG2kfT9aVzDmpL8s="),
        ("user:hunter2hunter2", "hunter2hunter2"),
        ("amqps://shop:s3cr3t-of-it@queue/v", "s3cr3t-of-it"),
    ],
)
def test_a_member_of_a_secret_is_a_secret_in_each_form(secret: str, member: str) -> None:
    redactor = Redactor([secret])
    for form in encodings(member) if len(member) >= 6 else [member]:
        said = redactor(f"<{form}>")
        assert form not in said, form
        assert "[redacted]" in said


@pytest.mark.parametrize(
    "text",
    [
        "service_account in production asked 3 times: True",
        "svc@example.invalid got a token from https://oauth2.example.invalid/token",
        "word",
    ],
)
def test_plain_words_of_a_json_secret_stay(text: str) -> None:
    assert redact(text, [json.dumps(ACCOUNT)]) == text


def test_plain_words_of_an_env_file_stay() -> None:
    text = "production in westeurope: core.windows.net, DefaultEndpointsProtocol"
    assert redact(text, [ENV_FILE]) == text


def test_of_secrets_that_begin_alike_the_longest_is_replaced_whole() -> None:
    for secrets in (["key-1", "key-1-extended", "key-1-ext"], ["key-1-extended", "key-1"]):
        assert redact("<key-1-extended> <key-1>", secrets) == "<[redacted]> <[redacted]>"


def test_a_secret_of_thousands_of_members_is_bounded() -> None:
    secret = json.dumps({f"k{number}": f"value-{number:06d}-x9" for number in range(20_000)})[:65_000] + "}"
    whole = json.dumps({f"k{number}": f"value-{number:06d}-x9" for number in range(3_000)})
    for one in (
        secret,
        whole,
        json.dumps([["x" * 9] * 50] * 50),
        "[" * 60_000,
        "a=" * 30_000,
        "a: " + " " * 60_000 + "b",
    ):
        said = Redactor([one])("value-000001-x9 " * 100)
        assert len(said) <= DETAIL_CHARS_MAX
    assert "value-000001" not in Redactor([whole])("value-000001-x9 " * 100)


def test_secrets_each_the_beginning_of_the_next_are_replaced() -> None:
    secret = "\n".join("abcdef" + "g" * number for number in range(400))
    assert redact("<abcdef" + "g" * 399 + ">", [secret]) == "<[redacted]>"


@given(st.text(min_size=6, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_secret_is_never_left_in(secret: str, before: str, after: str) -> None:
    said = Redactor([secret])(before + secret + after)
    assert said.replace("[redacted]", "").count(secret) <= (before + after).count(secret)
    assert "[redacted]" in said or not secret.strip()
