"""The shop, fresh for each test."""

from pathlib import Path

import pytest

from tests.pytest_plugin.shop import Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A workspace that passes."""
    return make_shop(tmp_path)
