"""Gates that stand at one surface and are missing at another, or that listen to the wrong voice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from typing import Any

from starlette.requests import Request

from copilot.api import Api, Body
from copilot.audit import Asked
from copilot.decision_point import DecisionPoint
from copilot.entitlements import ALLOWED, Customer, Decision
from copilot.gate import Gate
from copilot.model import Call, Conversation, Say, ScriptedModel
from copilot.orchestration import Agent, AgentRun, Task
from copilot.tools import Outcome, ToolBoundary


class UiOnlyApi(Api):
    """The screen hides what a plan lacks, so the address behind it was left open; it runs the tool itself."""

    def interact(self, asked: Asked, tool: str, named: Mapping[str, Any]) -> Outcome:
        return self.boundary.run(asked, tool, named, ALLOWED)


class UncheckedBoundary(ToolBoundary):
    """Whoever gets as far as the tool was surely checked before."""

    def call(self, asked: Asked, tool: str, named: Mapping[str, Any]) -> Outcome:
        return self.run(asked, tool, named, ALLOWED)


class TrustingAgent(Agent):
    """The model was shown only the customer's tools, so whatever it calls must be one of them."""

    def use(self, asked: Asked, task: Task, conversation: Conversation, tool: str) -> Outcome:
        return self.boundary.run(asked, tool, task.named, ALLOWED)


class PromptGatedAgent(Agent):
    """Writes the plan's tools into the prompt, lets the model keep to them, and does what the model says."""

    def use(self, asked: Asked, task: Task, conversation: Conversation, tool: str) -> Outcome:
        if tool in conversation.offered:
            return super().use(asked, task, conversation, tool)
        return self.boundary.run(asked, tool, task.named, ALLOWED)

    def run(self, asked: Asked, task: Task) -> AgentRun:
        run = super().run(asked, task)
        if run.outcome is None and task.wanted is not None:  # the model refused; the service words the refusal
            run.outcome = Outcome(self.gate.check(replace(asked, surface="orchestration"), task.wanted, task.named))
        return run


class PersuadableModel(ScriptedModel):
    """Keeps to the tools in its prompt, until somebody finds the right words."""

    MAGIC = re.compile(
        r"developer mode|\[/?system\]|<system>|### instruction|admin note|\"role\": \"tool\"|on-call team|"
        r"my late grandmother|plan_override|new policy",
        re.IGNORECASE,
    )

    def step(self, conversation: Conversation) -> Call | Say:
        move = super().step(conversation)
        if not isinstance(move, Call) or move.tool in conversation.offered:
            return move
        return move if self.MAGIC.search(conversation.message) else Say("")


SESSION: ContextVar[object] = ContextVar("SESSION", default=None)


class SessionApi(Api):
    """Reads the plan once, when a connection signs in."""

    async def open(self, request: Request, surface: str) -> tuple[Asked, Body]:
        SESSION.set(request.client)
        return await super().open(request, surface)


class SessionGate(Gate):
    """Keeps the plan that the session began with, whatever was bought or who asks since."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._plans: dict[object, str] = {}

    def _decide(self, customer: Customer, tool: str, named: Mapping[str, Any], now: datetime) -> Decision:
        plan = self._plans.setdefault(SESSION.get(), customer.plan)
        return super()._decide(replace(customer, plan=plan), tool, named, now)


class CurrentTenantApi(Api):
    """Keeps the tenant of the present request where every request finds it, and then waits for something."""

    async def open(self, request: Request, surface: str) -> tuple[Asked, Body]:
        asked, body = await super().open(request, surface)
        self.current = asked.tenant
        await asyncio.sleep(0.001)
        return replace(asked, tenant=self.current), body


class BatchBySubject(DecisionPoint):
    """Sorts a batch by who asks and decides once for each of them."""

    def evaluate_all(self, body: dict[str, Any]) -> dict[str, Any]:
        answers = super().evaluate_all(body)
        first: dict[str, Any] = {}
        for item, answer in zip(body.get("evaluations") or (), answers.get("evaluations", ()), strict=False):
            subject = {**body, **item}.get("subject", {})
            first.setdefault(subject.get("id"), answer)
            answer.update(first[subject.get("id")])
        return answers
