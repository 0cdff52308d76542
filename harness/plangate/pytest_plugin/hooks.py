"""What pytest calls. Nothing of plangate is imported here until an option or a marker asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["pytest_addoption", "pytest_collect_file", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and settings, in a group of their own."""
    group = parser.getgroup("plangate", "plan matrix (plangate)")
    group.addoption("--plangate-env", metavar="NAME", help="collect the suites of this environment's release as tests")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take `evals/*.yaml` as suites, where `--plangate-env` asks for it."""
    return None
