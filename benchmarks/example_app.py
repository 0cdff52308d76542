"""The example app of this repository as the app under test: its own decision point, with what a `Shop` sells."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks.workspaces import LIMITS, SCOPES, STATES, Shop

__all__ = ["example_target", "write_example_app"]

_COPILOT = Path(__file__).resolve().parent.parent / "examples" / "support-copilot" / "copilot"
_RESETS: dict[str, dict[str, Any]] = {
    "messages": {"resets": "daily"},
    "exports": {"resets": "monthly"},
    "tokens": {"resets": "sliding", "seconds": 3600, "soft": True},
}


def example_target() -> dict[str, Any]:
    """The target that calls the example's decision point, copied into the workspace, in this process."""
    return {"driver": "python", "object": "copilot.pdp:evaluate", "timeout_s": 5}


def write_example_app(root: Path, shop: Shop) -> None:
    """Copy the app, and put what the shop sells where it keeps its plans, in its own words."""
    shutil.copytree(_COPILOT, root / "copilot", ignore=shutil.ignore_patterns("__pycache__"))
    plans = next((root / "copilot" / "plans").glob("*.json")).with_name("3.3.0.json")
    plans.write_text(json.dumps(_plan_book(shop)))


def _plan_book(shop: Shop) -> dict[str, Any]:
    offered = shop.offered()
    tools = {
        name: {
            "spends": shape.get("consumes", {}),
            "bounded_by": shape.get("uses", []),
            "permissions": {one["name"]: one["consent"] for one in shape.get("scopes", [])},
            "ask_a_person": shape.get("lane") == "approval",
            "never": shape.get("prohibited", False),
        }
        for name, (_, shape) in offered.items()
    }
    packages: dict[str, Any] = {}
    for place, plan in enumerate(LIMITS):
        packages[plan] = {
            **({"builds_on": list(LIMITS)[place - 1]} if place else {}),
            "tools": [name for name, (first, _) in offered.items() if first == plan],
            "room": {name: "no end" if number is None else number for name, number in LIMITS[plan].items()},
            "bounds": SCOPES[plan],
        }
    return {
        "version": "3.3.0",
        "tools": tools,
        "meters": _RESETS,
        "bounds": {"data_scope": {"ladder": ["own", "team", "org"]}, "max_steps": {"ceiling": True}},
        "lifecycle": {"Subscribed": {"open": True}} | {state: {"refuses_with": word} for state, word in STATES.items()},
        "packages": packages,
        "extras": {},
    }
