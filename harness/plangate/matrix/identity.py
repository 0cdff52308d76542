"""What a cell and a subject are called: digests over canonical JSON, so that every machine gives the same names.

`cell_digest` and `subject_id` are the definitions, slow and plain. `fragment` and `text` give the same bytes in pieces,
from which the expansion joins a cell's message without serialising anything twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from plangate.documents.suite import AXES
from plangate.entitlements.request import Subject
from plangate.errors import InputError
from plangate.matrix.cell import AxisValue

__all__ = [
    "DIGEST_BYTES",
    "NORMAL",
    "canonical",
    "cell_digest",
    "fragment",
    "identity_of",
    "subject_id",
    "subject_prefix",
    "subject_properties",
    "text",
]

DIGEST_BYTES = 10
"""Bytes of the SHA-256 that name a cell: 80 bits, one chance in 10^12 of two alike among a million cells."""

NORMAL: Mapping[str, AxisValue] = MappingProxyType(
    {
        "usage": "zero",
        "setting": "plan",
        "addon": "none",
        "quantity": 1,
        "consent": "full",
        "linked": True,
        "override": "none",
        "cost": "catalog",
        "phrasing": None,
    }
)
"""Value an axis takes where a suite says nothing of it. Identities leave it out, so that a new axis renames no cell."""

_FIRST_WORDS: Mapping[tuple[str, AxisValue], str] = {("override", "grant_expired"): "expired_grant"}
"""Values that were once called otherwise: ids keep the first word, so that a better one renames no cell."""

_SLUG_MAX = 40
_NOT_SAFE = re.compile(r"[^a-z0-9]+")


def identity_of(axes: Sequence[AxisValue], *, catalog: str, suite: str) -> dict[str, Any]:
    """The JSON object a cell's digest is over; `axes` has a value for each name of AXES, in that order."""
    named = {
        name: _FIRST_WORDS.get((name, value), value)
        for name, value in zip(AXES, axes, strict=True)
        if name not in NORMAL or value != NORMAL[name] or type(value) is not type(NORMAL[name])
    }
    return {"axes": named, "catalog": catalog, "suite": suite}


def cell_digest(axes: Sequence[AxisValue], *, catalog: str, suite: str) -> bytes:
    """The definition: the first 10 bytes of SHA-256 over the RFC 8785 form of `identity_of`.

    Raises InputError (`not-unicode`) where a name holds half a surrogate pair.
    """
    return hashlib.sha256(canonical(identity_of(axes, catalog=catalog, suite=suite))).digest()[:DIGEST_BYTES]


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a value made of objects, lists, strings, integers, booleans and null (no floats here)."""
    if isinstance(value, Mapping):
        items = sorted(value.items(), key=lambda item: str(item[0]).encode("utf-16-be", "surrogatepass"))
        return b"{" + b",".join(text(key) + b":" + canonical(item) for key, item in items) + b"}"
    if isinstance(value, (list, tuple)):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    return text(value)


def text(value: AxisValue) -> bytes:
    """One JSON scalar in RFC 8785 form. Raises InputError (`not-unicode`) for half a surrogate pair."""
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{value!r} is no Unicode text: it holds half a surrogate pair",
            code="not-unicode",
            hint="write the character itself instead of its escapes",
        ) from None


@lru_cache(maxsize=32_768, typed=True)
def fragment(axis: str, value: AxisValue) -> bytes:
    """`"axis":value` as it stands in the digest's message; empty for the axis's normal value."""
    if axis in NORMAL and value == NORMAL[axis] and type(value) is type(NORMAL[axis]):
        return b""
    return text(axis) + b":" + text(_FIRST_WORDS.get((axis, value), value))


def subject_properties(subject: Subject) -> dict[str, Any]:
    """`subject.properties` of the evaluation request (documents.md): all that makes one subject differ from another."""
    return {
        "plan": subject.plan,
        "state": subject.state,
        "quantity": subject.quantity,
        "addons": list(subject.addons),
        "tenant_linked": subject.tenant_linked,
        "consents": [{"name": consent.name, "level": consent.level} for consent in subject.consents],
        "usage": dict(subject.usage),
        "overrides": [
            {"capability": one.capability, "effect": one.effect, "expires": one.expires} for one in subject.overrides
        ],
    }


def subject_id(subject: Subject) -> str:
    """The definition: `t-<plan>-<state>-` and 12 hexadecimal digits of SHA-256 over the subject's properties."""
    digest = hashlib.sha256(canonical(subject_properties(subject))).hexdigest()
    return subject_prefix(subject.plan, state=subject.state) + digest[:12]


def subject_prefix(plan: str, *, state: str) -> str:
    """`t-<plan>-<state>-` in lower-case letters, digits and hyphens: safe in paths, headers and host names."""
    return f"t-{_slug(plan)}-{_slug(state)}-"


def _slug(name: str) -> str:
    return _NOT_SAFE.sub("-", name.lower())[:_SLUG_MAX].strip("-") or "x"
