"""Rule R13 on every path: what this version cannot judge is refused by each verb that reads it, not only by check."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.promotions import by, plangate
from tests.promotion.stages import make_stages

SUITE, STAGE = "evals/gating.yaml", "envs/stage.yaml"
VERBS = [
    ("check",),
    ("run", "stage"),
    ("promote", "stage"),
    ("promote", "stage", "--validate"),
    ("bundle", "stage", "-o", "x.tar"),
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        (SUITE, "type: gating", "type: safety", "cannot-judge"),
        (SUITE, "type: gating", "type: gating\ncovers: [Z99]", "unknown-requirement"),
        (SUITE, "type: gating", "type: gating\ncovers: [C12]", "requirement-not-shown"),
        (STAGE, "{suite: gating}", "{suite: gating, allow: {noninferior_to: dev}}", "cannot-judge"),
    ],
)
def test_no_verb_takes_what_cannot_be_judged(
    tmp_path: Path, verb: tuple[str, ...], file: str, old: str, new: str, code: str
) -> None:
    root = make_stages(tmp_path / "shop")
    text = (root / file).read_text(encoding="utf-8")
    assert old in text
    (root / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    status, out, found = plangate(root, *verb, *(by(root, "ci") if "--validate" in verb else ()))
    assert status == 2
    assert found == code or (verb == ("check",) and f"[{code}]" in out)
