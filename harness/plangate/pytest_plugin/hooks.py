"""What pytest calls. Nothing of plangate is imported here until an option or a marker asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plangate.pytest_plugin.gates import Gates

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

_ITEMS_MAX = 2_000
_MARKER = (
    "plan_matrix(env, suite=None, workspace=None, **axes): run this test once for each cell of an environment's plan "
    "matrix; axes narrow it (plan=['free'], capability='report.export'). The test takes the fixture plan_cell."
)
_GATES: pytest.StashKey[Gates] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and settings, in a group of their own."""
    group = parser.getgroup("plangate", "plan matrix (plangate)")
    group.addoption(
        "--plangate-env",
        metavar="NAME",
        help="collect the suites of this environment's release (evals/*.yaml) as tests",
    )
    group.addoption(
        "--plangate-workspace",
        metavar="DIR",
        help="folder that holds envs/ and evals/ (default: the one that the collected evals/ lies in)",
    )
    group.addoption(
        "--plangate-items-max",
        metavar="N",
        type=int,
        help=f"a suite of more cells becomes one test for each plan and capability (default: {_ITEMS_MAX})",
    )
    parser.addini("plangate_workspace", "as --plangate-workspace, relative to the rootdir")
    parser.addini("plangate_items_max", "as --plangate-items-max", default=str(_ITEMS_MAX))


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Name the environment, where one was asked for."""
    environment = config.getoption("plangate_env")
    return f"plangate: suites of environment {environment}" if environment else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take `evals/*.yaml` as suites, where `--plangate-env` asks for it."""
    environment = parent.config.getoption("plangate_env")
    if not environment or file_path.suffix != ".yaml" or file_path.parent.name != "evals":
        return None
    gates = _gates(parent.config)
    if gates.workspace_of(file_path.parent) != file_path.parent.parent.resolve():
        return None
    from plangate.pytest_plugin.items import SuiteFile

    collector: SuiteFile = SuiteFile.from_parent(parent, path=file_path)
    collector.gate = gates.at(file_path.parent.parent, environment)
    collector.items_max = gates.items_max
    return collector


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that carries `plan_matrix` the cells it asks for, one run for each."""
    marker = metafunc.definition.get_closest_marker("plan_matrix")
    if marker is None:
        return
    from plangate.pytest_plugin.marker import parametrize

    parametrize(metafunc, marker, _gates(metafunc.config))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which cells are left after `-k`, `--lf` and the like: those are asked, and no others."""
    if session.config.stash.get(_GATES, None) is not None:
        from plangate.pytest_plugin.items import note_selected

        note_selected(session)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the cells that were asked prove, and what was not tried (rule R12)."""
    gates = config.stash.get(_GATES, None)
    asked = tuple(gates.asked()) if gates is not None else ()
    if not asked:
        return
    from plangate.pytest_plugin.claim import claim_lines

    terminalreporter.section("plangate")
    for gate in asked:
        for line in claim_lines(gate.environment, gate.summaries, cells=gate.cells):
            terminalreporter.write_line(line)
        if gate.app_wrote:
            terminalreporter.write_line(gate.app_wrote)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close what was opened, and stop what was launched."""
    gates = config.stash.get(_GATES, None)
    if gates is not None:
        gates.close()


@pytest.fixture
def plan_cell() -> object:
    """One cell of the plan matrix: `.request` to put to your app, `.expected` to compare with, `.axes`, `.subject`."""
    pytest.fail("plan_cell needs a marker that says which cells: @pytest.mark.plan_matrix(env='dev')", pytrace=False)


def _gates(config: pytest.Config) -> Gates:
    from plangate.pytest_plugin.gates import Gates

    gates = config.stash.get(_GATES, None)
    if gates is None:
        gates = config.stash[_GATES] = Gates(config)
    return gates
