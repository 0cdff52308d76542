"""What is sold, as this app keeps it: tools, meters, bounds, packages and extras, read from `plans/<version>.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "PLANS_FOLDER",
    "Extra",
    "Meter",
    "Package",
    "Phase",
    "PlanBook",
    "Room",
    "Tool",
    "plan_book",
    "read_plan_book",
]

PLANS_FOLDER = Path(__file__).parent / "plans"
NO_END = "no end"
PER_SEAT = " per seat"


@dataclass(frozen=True, slots=True)
class Tool:
    """Something the agent can do."""

    name: str
    spends: tuple[tuple[str, int], ...] = ()
    """(meter, units) for each use, in the order in which meters stand in the file."""
    bounded_by: tuple[str, ...] = ()
    permissions: tuple[tuple[str, str], ...] = ()
    """(permission, who has to grant it: user or admin)."""
    ask_a_person: bool = False
    never: bool = False


@dataclass(frozen=True, slots=True)
class Meter:
    """Something that is counted. `resets`: daily, monthly (both UTC), sliding (over `seconds`) or never."""

    name: str
    resets: str
    seconds: int = 0
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A value a request may name. Exactly one of: a ladder (least first), a choice, a ceiling (a whole number)."""

    name: str
    ladder: tuple[str, ...] = ()
    choice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """How many units a package has: a number, a number for each seat, or no end (`units` is None)."""

    units: int | None
    per_seat: bool = False

    def for_seats(self, seats: int) -> int | None:
        """Units for a subscription of that many seats; None = no end."""
        return self.units * seats if self.per_seat and self.units is not None else self.units


@dataclass(frozen=True, slots=True)
class Package:
    """A plan with everything it builds on already in it."""

    name: str
    tools: frozenset[str]
    room: Mapping[str, Room]
    bounds: Mapping[str, Any]
    ask_a_person: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Extra:
    """An add-on: more tools, more room."""

    name: str
    tools: frozenset[str]
    room: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Phase:
    """A state of a subscription: open, or what it is refused with and what it keeps."""

    name: str
    open: bool
    refuses_with: str
    keeps: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlanBook:
    """Everything one version of the product sells."""

    version: str
    tools: Mapping[str, Tool]
    meters: Mapping[str, Meter]
    bounds: Mapping[str, Bound]
    lifecycle: Mapping[str, Phase]
    packages: Mapping[str, Package]
    extras: Mapping[str, Extra]


def read_plan_book(version: str, *, folder: Path = PLANS_FOLDER) -> PlanBook:
    """The plan book of one version. Raises FileNotFoundError for a version that was never sold."""
    return plan_book(json.loads((folder / f"{version}.json").read_text(encoding="utf-8")))


def plan_book(data: dict[str, Any]) -> PlanBook:
    """A plan book from its JSON form."""
    meters = {name: Meter(name, **entry) for name, entry in data["meters"].items()}
    packages: dict[str, Package] = {}
    for name, entry in data["packages"].items():
        packages[name] = _package(name, entry, packages.get(entry.get("builds_on")))
    return PlanBook(
        version=data["version"],
        tools={name: _tool(name, entry, tuple(meters)) for name, entry in data["tools"].items()},
        meters=meters,
        bounds={
            name: Bound(name, tuple(entry.get("ladder", ())), tuple(entry.get("choice", ())))
            for name, entry in data["bounds"].items()
        },
        lifecycle={
            name: Phase(
                name, entry.get("open", False), entry.get("refuses_with", ""), frozenset(entry.get("keeps", ()))
            )
            for name, entry in data["lifecycle"].items()
        },
        packages=packages,
        extras={
            name: Extra(name, frozenset(entry.get("tools", ())), entry.get("room", {}))
            for name, entry in data["extras"].items()
        },
    )


def _tool(name: str, entry: dict[str, Any], meters: tuple[str, ...]) -> Tool:
    spends: dict[str, int] = entry.get("spends", {})
    return Tool(
        name=name,
        spends=tuple(sorted(spends.items(), key=lambda item: meters.index(item[0]))),
        bounded_by=tuple(entry.get("bounded_by", ())),
        permissions=tuple(entry.get("permissions", {}).items()),
        ask_a_person=entry.get("ask_a_person", False),
        never=entry.get("never", False),
    )


def _package(name: str, entry: dict[str, Any], below: Package | None) -> Package:
    below = below or Package("", frozenset(), {}, {}, {})
    return Package(
        name=name,
        tools=(below.tools | set(entry["tools"])) - set(entry.get("without", ())),
        room={**below.room, **{meter: _room(value) for meter, value in entry.get("room", {}).items()}},
        bounds={**below.bounds, **entry.get("bounds", {})},
        ask_a_person={**below.ask_a_person, **entry.get("ask_a_person", {})},
    )


def _room(value: int | str) -> Room:
    if isinstance(value, int):
        return Room(value)
    if value == NO_END:
        return Room(None)
    return Room(int(value.removesuffix(PER_SEAT)), per_seat=True)
