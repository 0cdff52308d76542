"""What looks like a secret written out in a document: known token formats, and values that only chance could write.

Nothing found is ever repeated in a message: reports and logs are read by more people than the document.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from plangate.errors import Problem

__all__ = ["ADVICE", "holds_secret", "is_reference", "is_secret_name", "looks_random", "secrets_in_text"]

ADVICE: Final = "name it under bindings.secrets as env:NAME or file:PATH, and write {secret.NAME} here"

# Formats that their issuers chose so that they can be found; each is documented by its issuer.
_KNOWN: Final = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY"
    r"|\b[sr]k[-_][A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic, Stripe
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{22,}"
    r"|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]+"
    r"|\bAIza[A-Za-z0-9_-]{35}"
    r"|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{20,}|\bhf_[A-Za-z0-9]{30,}"
    r"|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    r"|AccountKey=[A-Za-z0-9+/]{40,}|[?&]sig=[A-Za-z0-9%+/]{40,}"  # Azure storage: key and shared access signature
    r"|(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"  # a client secret of Microsoft Entra
    r"|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}"  # a JSON Web Token
    r"|\bhttps?://[^/@\s{}:]+:[^/@\s{}]+@"
)
_SECRET_NAME: Final = re.compile(
    r"(?:^|[_.-])(?:secret|password|passwd|passphrase|credentials?|(?:api|access|private|account|client)[_-]?key"
    r"|(?:access|auth|bearer|refresh|api)[_-]?token|token)$",
    re.IGNORECASE,
)
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
_RUN: Final = re.compile(r"[A-Za-z0-9]{20,}")
_DIGEST: Final = re.compile(r"\bsha(?:256|384|512)[:-][A-Za-z0-9+/=]+")
_BITS_MIN: Final = 3.5
_CHANGES_MIN: Final = 0.4
"""Least entropy a character, and how often the kind of character changes, in what nobody has written by hand. Measured:
13 of 5,233 names of 20 characters and more in Python source are taken for random (`SQLTextWaveTo2DBinaryWave`),
and of random texts 4% of 24 characters, 1% of 32 and 12% of 32 bytes as base64 are not."""


def holds_secret(text: str) -> bool:
    """Whether a known kind of secret stands in `text`."""
    return _KNOWN.search(text) is not None


def secrets_in_text(text: str, *, path: str) -> Iterator[Problem]:
    """Each known kind of secret in a file, comments included, with its place."""
    for found in _KNOWN.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - (text.rfind("\n", 0, found.start()) + 1) + 1
        yield Problem(
            path=path,
            line=line,
            column=column,
            code="literal-secret",
            message="looks like a literal secret",
            hint="take it out, and change it where it is used: whoever has read this file knows it",
        )


def is_reference(text: str) -> bool:
    """Whether the text says where a secret is found, and not what it is: `env:NAME`, `file:PATH`."""
    return text.startswith(("env:", "file:"))


def is_secret_name(name: str) -> bool:
    """Whether a key or variable of this name holds a secret: `COPILOT_API_KEY`, `client_secret`."""
    return _SECRET_NAME.search(name) is not None


def looks_random(text: str) -> bool:
    """Whether `text` holds 20 characters or more in a row that nobody would write: three kinds, well mixed. Digests and
    placeholders are none."""
    return any(map(_random, _RUN.findall(_DIGEST.sub(" ", _PLACEHOLDER.sub(" ", text)))))


def _random(run: str) -> bool:
    kinds = [0 if mark.islower() else 1 if mark.isupper() else 2 for mark in run]
    changes = sum(one != other for one, other in pairwise(kinds)) / (len(run) - 1)
    return len(set(kinds)) == 3 and changes >= _CHANGES_MIN and _bits(run) >= _BITS_MIN


def _bits(run: str) -> float:
    """Shannon entropy a character."""
    size = len(run)
    return -sum(count / size * math.log2(count / size) for count in Counter(run).values())
