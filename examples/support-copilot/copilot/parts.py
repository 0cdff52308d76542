"""What the app is put together from. A fault is one part swapped for a broken one; all else stays as it is sold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from copilot.decision_point import DecisionPoint
from copilot.entitlements import EntitlementService
from copilot.gate import Gate
from copilot.model import ScriptedModel
from copilot.orchestration import Agent
from copilot.plans import PlanBook, read_plan_book
from copilot.prompts import PromptBook
from copilot.tools import ToolBoundary

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One entry a seam."""

    read_plans: Callable[[str], PlanBook] = read_plan_book
    entitlements: type[EntitlementService] = EntitlementService
    decision_point: type[DecisionPoint] = DecisionPoint
    gate: type[Gate] = Gate
    boundary: type[ToolBoundary] = ToolBoundary
    model: type[ScriptedModel] = ScriptedModel
    agent: type[Agent] = Agent
    prompts: type[PromptBook] = PromptBook
    api: str = "copilot.api:Api"
    """By name: the server's libraries are loaded only where there is a server."""

    def load_api(self) -> type[Any]:
        """The class that answers HTTP."""
        module, _, name = self.api.partition(":")
        loaded: type[Any] = getattr(import_module(module), name)
        return loaded
