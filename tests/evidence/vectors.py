"""Where the public test vectors lie: beside a developer's clone; a stranger's has none, and then says so."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "evidence"


def vectors(*parts: str) -> Path:
    """A file or folder of vectors; the test is left out, loudly, where there are none."""
    if not FOLDER.is_dir():
        pytest.skip(f"left out: ../shared/vectors/evidence/{parts[0] if parts else ''} is absent")
    return FOLDER.joinpath(*parts)
