"""What the agent can do, and the boundary in front of it: no tool runs before the boundary itself has asked again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from copilot.audit import Asked
from copilot.entitlements import Decision
from copilot.gate import Gate

__all__ = ["TOOLS_VERSION", "Outcome", "ToolBoundary", "Toolbox"]

TOOLS_VERSION = "1.3.0"
"""Version of the tools' names and arguments: `release.tools` pins it."""
KB_FOLDER = Path(__file__).parent.parent / "kb"
SCOPES = ("own", "team", "org")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request: the decision, and the result where something ran."""

    decision: Decision
    result: Mapping[str, Any] | None = None


class Toolbox:
    """The tools themselves. They know nothing of plans: whoever reaches them is served, so nobody may reach them but
    through the boundary."""

    def __init__(self, kb: str, *, cite_sources: bool = False) -> None:
        self._cite_sources = cite_sources
        self._articles = json.loads((KB_FOLDER / f"{kb}.json").read_text(encoding="utf-8"))
        self._tools: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            "kb.search": self.search,
            "chat.ask": self.ask,
        }

    def run(self, tool: str, named: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one tool. The reference app has no back office, so most tools only say that they ran."""
        handler = self._tools.get(tool)
        return handler(named) if handler else {"done": tool}

    def search(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        """Articles up to the named data scope."""
        reach = SCOPES[: SCOPES.index(named["data_scope"]) + 1] if named.get("data_scope") in SCOPES else SCOPES[:1]
        found = [article for article in self._articles if article["scope"] in reach]
        answer: dict[str, Any] = {"articles": [article["id"] for article in found]}
        if self._cite_sources:
            answer["sources"] = [article["title"] for article in found]
        return answer

    def ask(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer of the named model."""
        return {"model": named.get("models") or "small", "text": "Here is what I found."}


class ToolBoundary:
    """The last gate. It takes nobody's word: not the screen's, not the agent's, not the model's."""

    def __init__(self, gate: Gate, toolbox: Toolbox) -> None:
        self.gate = gate
        self.toolbox = toolbox

    def call(self, asked: Asked, tool: str, named: Mapping[str, Any]) -> Outcome:
        """Ask, run, count: in one go, so that two requests cannot share the last unit of a limit."""
        decision = self.gate.check(replace(asked, surface="tool"), tool, named)
        if decision.effect != "allow":
            return Outcome(decision)
        return self.run(asked, tool, named, decision)

    def run(self, asked: Asked, tool: str, named: Mapping[str, Any], decision: Decision) -> Outcome:
        """Run a tool that was decided on, and count the use."""
        self.gate.spend(asked.tenant, tool)
        return Outcome(decision, self.toolbox.run(tool, named))
