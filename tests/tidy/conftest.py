"""What the tidy tests look at: the files of the repository, and the syntax trees of its Python sources."""

import ast
import os
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"__pycache__", "build", "dist", "node_modules", "site", "htmlcov"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One Python source of the package."""

    name: str
    """`plangate.matrix.cell`; a package is named without `.__init__`."""
    path: Path
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Whether it is an `__init__.py`."""
        return self.path.name == "__init__.py"

    @property
    def where(self) -> str:
        """Path from the repository's root."""
        return self.path.relative_to(ROOT).as_posix()


def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT / "harness").with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text(encoding="utf-8")
    return Module(name=name, path=path, text=text, tree=ast.parse(text, filename=str(path)))


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    # A source archive without its history: every file but what builds and tools leave behind.
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in NOT_OURS and (name == ".github" or not name.startswith("."))]
        found += [Path(folder, name) for name in names]
    return found


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[Path]:
    """Every file of the repository that is there, sorted."""
    return sorted(path for path in _tracked() if path.is_file() and not path.is_symlink())


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Every module of the package, by name."""
    sources = sorted((ROOT / "harness" / "plangate").rglob("*.py"))
    return [_module(path) for path in sources if "workspace_template" not in path.parts]


@pytest.fixture(scope="session")
def project() -> dict:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def bare_environment() -> dict[str, str]:
    """Environment for commands whose start-up is looked at: without what coverage adds to every process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_"))}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"}
