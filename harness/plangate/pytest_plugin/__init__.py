"""The plan matrix as pytest items: `pytest evals --plangate-env dev`, and the `plan_matrix` marker for tests in code.

pytest loads this in every session, also where nobody asks for plangate: importing it costs next to nothing, and until
`--plangate-env` or the marker is used it does nothing and prints nothing.
"""

from plangate.pytest_plugin.hooks import (
    plan_cell,
    pytest_addoption,
    pytest_collect_file,
    pytest_collection_finish,
    pytest_configure,
    pytest_generate_tests,
    pytest_report_header,
    pytest_terminal_summary,
    pytest_unconfigure,
)

__all__ = [
    "plan_cell",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_collection_finish",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_report_header",
    "pytest_terminal_summary",
    "pytest_unconfigure",
]
