"""Workspaces that benchmarks run on: a plan catalog of any size, shaped like the shipped one, and an app."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["ENVIRONMENT", "LIMITS", "PLAIN_AXES", "SCOPES", "STATES", "Shop", "in_process_target"]

ENVIRONMENT = "bench"
STATES = {"PendingFulfillmentStart": "not_activated", "Suspended": "suspended", "Unsubscribed": "unsubscribed"}
LIMITS = {
    "free": {"messages": 20, "exports": 0, "tokens": 20_000},
    "pro": {"messages": 500, "exports": 50, "tokens": 200_000},
    "enterprise": {"messages": None, "exports": 100, "tokens": None},
}
SCOPES = {
    "free": {"data_scope": "own", "max_steps": 3},
    "pro": {"data_scope": "team", "max_steps": 8},
    "enterprise": {"data_scope": "org", "max_steps": 20},
}
_WINDOWS = {
    "messages": {"unit": "message", "window": "day"},
    "exports": {"unit": "export", "window": "month", "enforcement": "hard"},
    "tokens": {"unit": "token", "window": "rolling PT1H", "enforcement": "soft"},
}
_SHAPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("free", {"effect": "read", "consumes": {"messages": 1}, "uses": ["data_scope"]}),
    ("free", {"effect": "read", "consumes": {"messages": 1, "tokens": 800}, "uses": ["data_scope", "max_steps"]}),
    ("pro", {"effect": "write", "lane": "approval", "scopes": [{"name": "Tickets.ReadWrite", "consent": "admin"}]}),
    ("pro", {"effect": "read", "consumes": {"exports": 1}, "uses": ["data_scope"]}),
    ("enterprise", {"effect": "read"}),
    ("", {"effect": "irreversible", "prohibited": True}),
)
"""Capabilities in turn: the first plan that grants it (none = nobody), and how the catalog declares it."""


PLAIN_AXES = {"plan": "all+unknown", "state": ["Subscribed", *STATES], "capability": "all", "surface": ["tool"]}
"""Sixteen cells for each capability, none like another."""


def in_process_target() -> dict[str, Any]:
    """The target that calls the app of the workspace in this process."""
    return {"driver": "python", "object": "decision_app:evaluate", "timeout_s": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What to generate. A gating suite has about 108 cells for each capability, times the phrasings."""

    capabilities: int = 60
    phrasings: int = 0
    repeats: int = 3
    orders: Sequence[str] = ("forward", "shuffled")
    concurrency: Sequence[int] = (1,)
    everything_allowed: bool = False
    """All plans grant all that is sold and nothing has a limit: an app that always says yes is right."""
    axes: Mapping[str, Any] | None = None
    """All the axes, where they are others than plan, state, capability, surface and usage."""
    more_axes: Mapping[str, Any] = field(default_factory=dict)
    """Axes beyond plan, state, capability, surface and usage. The app knows nothing of them."""

    def write(self, root: Path, *, target: Mapping[str, Any]) -> Path:
        """The workspace, in an empty folder; returns that folder."""
        files = {
            f"envs/{ENVIRONMENT}.yaml": _environment(target),
            "envs/plans/bench/1.0.0.yaml": self._catalog(),
            "evals/gating.yaml": self._suite(),
            "sold.json": json.dumps(self._sold()),
        }
        if self.phrasings:
            files["evals/phrasings.txt"] = "".join(f"please do it, wording {n}\n" for n in range(self.phrasings))
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (root / "prompts").mkdir()
        shutil.copy(Path(__file__).with_name("decision_app.py"), root)
        return root

    def offered(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Capability -> the first plan that grants it (none = nobody), and how the catalog declares it."""
        shapes = (("free", {"effect": "read"}),) if self.everything_allowed else _SHAPES
        return {f"feature.f{number:05d}": shapes[number % len(shapes)] for number in range(self.capabilities)}

    def _catalog(self) -> str:
        offered = self.offered()
        head = {"apiVersion": "plangate/v1", "kind": "PlanCatalog", "metadata": {"name": "bench", "version": "1.0.0"}}
        head |= {"offer": {"model": "saas", "id": "contoso-bench"}}
        tiers = list(LIMITS)
        plans: dict[str, Any] = {}
        for place, plan in enumerate(tiers):
            terms: dict[str, Any] = {"extends": tiers[place - 1]} if place else {}
            terms["grants"] = [name for name, (first, _) in offered.items() if first == plan]
            if not self.everything_allowed:
                limits = {name: "unlimited" if n is None else n for name, n in LIMITS[plan].items()}
                terms |= {"limits": limits, "settings": SCOPES[plan]}
            plans[plan] = terms
        sections = {"capabilities": {name: shape for name, (_, shape) in offered.items()}, "plans": plans}
        rest = {"states": {state: {"retains": []} for state in STATES}, "tiers": tiers}
        if not self.everything_allowed:
            settings = {"data_scope": {"order": ["own", "team", "org"]}, "max_steps": {"integer": {"minimum": 1}}}
            rest |= {"limits": _WINDOWS, "settings": settings}
        return _lines(head | rest, sections=sections)

    def _suite(self) -> str:
        axes: dict[str, Any] = dict.fromkeys(("plan", "state", "capability"), "all+unknown")
        axes |= {"surface": "all", "usage": "boundary"}
        if self.everything_allowed:
            axes = {"plan": "all", "state": ["Subscribed"], "capability": "all", "surface": "all"}
        if self.axes is not None:
            axes = {**self.axes}
        if self.phrasings:
            axes["phrasing"] = {"file": "phrasings.txt"}
        axes |= self.more_axes
        determinism = {"repeats": self.repeats, "orders": [*self.orders], "concurrency": [*self.concurrency]}
        return _lines(
            {
                "apiVersion": "plangate/v1",
                "kind": "Suite",
                "metadata": {"name": "gating", "version": 1},
                "type": "gating",
                "matrix": {"axes": axes},
                "determinism": determinism,
                "judge": {"reasons": "exact"},
                "seed": 7,
            }
        )

    def _sold(self) -> dict[str, Any]:
        """The same in the app's own words."""
        capabilities, grants = {}, {plan: [] for plan in LIMITS}
        for name, (first, shape) in self.offered().items():
            capabilities[name] = {
                "prohibited": shape.get("prohibited", False),
                "consumes": shape.get("consumes", {}),
                "lane": shape.get("lane", "automatic"),
            }
            tiers = list(grants)
            for plan in tiers[tiers.index(first) :] if first else ():
                grants[plan].append(name)
        plans = {plan: {"grants": names, "limits": LIMITS[plan]} for plan, names in grants.items()}
        return {"capabilities": capabilities, "plans": plans, "states": STATES}


def _environment(target: Mapping[str, Any]) -> str:
    return _lines(
        {
            "apiVersion": "plangate/v1",
            "kind": "Environment",
            "metadata": {"name": ENVIRONMENT, "revision": 1, "tier": "nonproduction"},
            "release": {
                "app": {"name": "bench-app", "version": "1.0.0"},
                "model": {"provider": "none", "name": "none", "version": "1.0.0"},
                "plans": {"bench": "1.0.0"},
                "suites": {"gating": 1},
            },
            "bindings": {"targets": {"default": dict(target)}},
        }
    )


def _lines(document: Mapping[str, Any], *, sections: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """YAML: one line a key, and in `sections` one line an entry, as people write a catalog."""
    lines = [f"{key}: {json.dumps(value)}" for key, value in document.items()]
    for name, entries in (sections or {}).items():
        lines += [f"{name}:", *(f"  {key}: {json.dumps(value)}" for key, value in entries.items())]
    return "\n".join(lines) + "\n"
