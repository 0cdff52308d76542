"""The developer's tasks: `nox -l` lists them, `nox -s tests -- -k limits` runs one with arguments.

Versions live in pyproject.toml (groups) and constraints.txt (what they resolve to); nothing is pinned here. The matrix
of Python and dependency versions is tox's: `nox -s compat`.
"""

from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv|venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "tests"]

GROUPS = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str, extras: str = "[examples]") -> None:
    """Install plangate in editable form, and the named dependency groups, at the locked versions."""
    wanted = [requirement for group in groups for requirement in nox.project.dependency_groups(GROUPS, group)]
    session.install("-c", "constraints.txt", *wanted, "-e", f".{extras}")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments go to pytest."""
    install(session, "test")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests with branch coverage, the commands they launch included, and write htmlcov/."""
    install(session, "test")
    session.run("coverage", "erase")
    root = Path(session.invoked_from)
    measure = {"COVERAGE_PROCESS_START": str(root / "pyproject.toml"), "COVERAGE_FILE": str(root / ".coverage")}
    session.run("python", "-m", "pytest", *session.posargs, env=measure)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "html", "--quiet")
    session.run("coverage", "report")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting (ruff), and who may import whom (import-linter)."""
    install(session, "lint")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check types (mypy, strict)."""
    install(session, "types", "test")  # the pytest plugin is typed against pytest
    session.run("mypy", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the stage environment's matrix over HTTP against the reference app; arguments go to `plangate run stage`."""
    install(session)
    session.run("plangate", "run", "stage", *session.posargs, success_codes=[0, 1, 3])


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed and memory, and print the table that docs/reference/benchmarks.md keeps."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into site/; a broken link fails."""
    install(session, "docs")
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def compat(session: nox.Session) -> None:
    """Run the tests against the built wheel on every Python and every set of versions (tox)."""
    session.install("-c", "constraints.txt", "tox", "tox-uv")
    session.run("tox", "run-parallel", *session.posargs)


@nox.session
def pins(session: nox.Session) -> None:
    """Renew constraints.txt from the lower bounds in pyproject.toml."""
    session.install("uv")
    command = (
        "uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --all-extras --upgrade"
    )
    session.run(*command.split(), "--group", "dev", "--group", "bench", "pyproject.toml", "-o", "constraints.txt")
