"""One value, one text, one digest: RFC 8785 (JSON Canonicalization Scheme) and SHA-256."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import rfc8785

from plangate.errors import InputError

__all__ = ["CanonicalValue", "canonical_bytes", "digest", "digest_of_bytes"]

CanonicalValue = None | bool | int | float | str | Sequence["CanonicalValue"] | Mapping[str, "CanonicalValue"]
"""What has a canonical form: JSON whose integers stay below 2^53 and whose text is Unicode."""


def canonical_bytes(value: CanonicalValue) -> bytes:
    """The RFC 8785 bytes of a JSON value: the same for equal values, whatever wrote them.

    Raises InputError (`not-canonical`) for what JSON cannot hold exactly: NaN, infinities, integers beyond 2^53, lone
    surrogates.
    """
    try:
        return rfc8785.dumps(_plain(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InputError(
            f"a value has no canonical form: {error}",
            code="not-canonical",
            hint="use finite numbers below 2^53 and Unicode text",
        ) from None


def digest(value: CanonicalValue) -> str:
    """`sha256:` and 64 hexadecimal digits over the canonical bytes. Raises as `canonical_bytes` does."""
    return digest_of_bytes(canonical_bytes(value))


def digest_of_bytes(data: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits over `data` as it is."""
    return "sha256:" + sha256(data).hexdigest()


def _plain(value: CanonicalValue) -> rfc8785._impl._Value:
    """The same value in the types rfc8785 knows: frozen documents hold tuples and read-only mappings."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
