"""Drivers are found by name, and a bad one is refused when it is named, not when it is first asked."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from plangate.documents.environment import Target
from plangate.drivers import registry
from plangate.drivers.protocol import Driver
from plangate.errors import DriverError, InputError
from tests.drivers.workspaces import context_in


@pytest.mark.parametrize("name", sorted(registry.BUILT_IN))
def test_each_driver_of_plangate_loads_and_fits_the_protocol(name: str) -> None:
    found = registry.driver_class(name)
    assert found.__doc__
    assert all(callable(getattr(found, method)) for method in ("open", "observe", "close"))


def test_the_table_equals_the_entry_points() -> None:
    ours = {entry.name: entry.value for entry in entry_points(group=registry.ENTRY_POINT_GROUP)}
    if not ours:
        pytest.skip("left out: plangate is not installed here")
    assert {name: value for name, value in ours.items() if value.startswith("plangate.")} == registry.BUILT_IN


def test_a_near_miss_gets_a_suggestion() -> None:
    with pytest.raises(InputError) as caught:
        registry.driver_class("pyhton")
    assert caught.value.code == "unknown-driver"
    assert "did you mean 'python'?" in str(caught.value)


def test_a_far_miss_gets_the_list() -> None:
    with pytest.raises(InputError) as caught:
        registry.driver_class("")
    assert "asgi, authzen, command, http, python" in str(caught.value)


def test_a_driver_is_built_from_its_target(tmp_path: Path) -> None:
    assert isinstance(registry.make_driver(Target(driver="python", object="a:b"), context_in(tmp_path)), Driver)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed package, as far as Python can tell, that offers three drivers."""
    (tmp_path / "outside_drivers.py").write_text(
        "class Good:\n"
        "    def __init__(self, target, context): self.target = target\n"
        "    async def open(self): ...\n"
        "    async def observe(self, request): ...\n"
        "    async def close(self): ...\n"
        "class Bare:\n"
        "    async def open(self): ...\n"
        "class Odd(Good):\n"
        "    def __init__(self): ...\n"
        "thing = 7\n"
    )
    info = tmp_path / "outside-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    names = {"good": "Good", "bare": "Bare", "odd": "Odd", "thing": "thing", "gone": "Gone", "python": "Good"}
    lines = [f"{name} = outside_drivers:{value}" for name, value in names.items()]
    (info / "entry_points.txt").write_text("[plangate.driver]\n" + "\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "outside_drivers"
    sys.modules.pop("outside_drivers", None)


def test_a_driver_of_another_package_is_found(plugin: str, tmp_path: Path) -> None:
    driver = registry.make_driver(Target(driver="good"), context_in(tmp_path))
    assert type(driver).__module__ == plugin
    assert "good" in registry.driver_names()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bare", "has no method observe, close"),
        ("odd", "cannot be built"),
        ("thing", "not a class"),
        ("gone", "AttributeError"),
    ],
)
def test_a_broken_driver_is_refused_with_the_reason(plugin: str, name: str, words: str) -> None:
    with pytest.raises(DriverError) as caught:
        registry.driver_class(name)
    assert caught.value.code == "broken-driver"
    assert words in str(caught.value)


@pytest.mark.parametrize("first", [True, False])
def test_another_package_cannot_take_the_name_of_a_driver_of_plangate(
    plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, first: bool
) -> None:
    others = [entry for entry in sys.path if entry != str(tmp_path)]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *others] if first else [*others, str(tmp_path)])
    assert registry.driver_class("python").__module__ == "plangate.drivers.python"
