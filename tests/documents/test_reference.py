"""The samples in docs/reference/documents.md are documents that pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plangate.documents.document import read_document
from plangate.documents.kinds import Kind

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "documents.md"
SAMPLES = {
    kind: sample
    for sample in re.findall(r"```(?:yaml|markdown)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for kind in Kind
    if f"kind: {kind.document_kind}\n" in sample
}


def test_every_kind_has_a_sample() -> None:
    assert set(SAMPLES) == set(Kind)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_sample_passes(kind: Kind) -> None:
    document = read_document(kind, SAMPLES[kind].encode(), path=f"{kind}.md")
    assert [str(problem) for problem in document.problems if problem.code != "unused-name"] == []
