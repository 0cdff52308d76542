"""One digest over what a run decided, without times, hosts or order: runs that gate alike have the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from plangate.documents.suite import JudgeMode
from plangate.verdicts.judge import decision_of
from plangate.verdicts.result import ObservedCount

__all__ = ["decision_text", "fingerprint"]


def decision_text(observed: Sequence[ObservedCount]) -> str:
    """Distinct decisions of a cell as canonical text; a fault reads `error`, whatever its cause."""
    distinct = {decision_of(one, mode=JudgeMode.EXACT) for one in observed}
    texts = sorted("error" if key is None else json.dumps(key, ensure_ascii=False) for key in distinct)
    return "|".join(texts)


def fingerprint(cells: Iterable[tuple[bytes, str]]) -> str:
    """`sha256:...` over (cell digest, decision text) pairs that come sorted by cell digest."""
    total = hashlib.sha256(b"plangate fingerprint v1\n")
    for digest, decision in cells:
        total.update(b"%s %s\n" % (digest.hex().encode(), decision.encode("utf-8", "surrogatepass")))
    return "sha256:" + total.hexdigest()
