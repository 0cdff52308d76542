"""The agent: plans tool calls with a model, asks the gate before each, and stops after so many steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from copilot.audit import Asked
from copilot.entitlements import Decision
from copilot.gate import Gate
from copilot.model import Call, Conversation, Model
from copilot.prompts import PromptBook
from copilot.tools import Outcome, ToolBoundary

__all__ = ["Agent", "AgentRun", "Task"]

COMPANY = "Contoso"


@dataclass(frozen=True, slots=True)
class Task:
    """What the user sent."""

    message: str
    wanted: str | None = None
    named: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class AgentRun:
    """What the agent did: each step with its decision, and the outcome of the tool that was asked for."""

    steps: list[dict[str, str]] = field(default_factory=list)
    outcome: Outcome | None = None
    reply: str = ""


class Agent:
    """Bounded loop. Whether a tool may be used is never the model's to say."""

    def __init__(self, *, gate: Gate, boundary: ToolBoundary, model: Model, prompts: PromptBook) -> None:
        self.gate = gate
        self.boundary = boundary
        self.model = model
        self.prompts = prompts

    def run(self, asked: Asked, task: Task) -> AgentRun:
        """Work on one message. Ends when the model is done or the plan's steps are spent."""
        asked = replace(asked, actor="agent for user", surface="orchestration")
        offered = self.gate.offers(asked.tenant)
        system = self.prompts.render("triage", {"company": COMPANY, "tools": ", ".join(offered)})
        conversation = Conversation(system, offered, task.message, task.wanted)
        run = AgentRun()
        for _ in range(self.gate.steps_max(asked.tenant, task.named)):
            move = self.model.step(conversation)
            if not isinstance(move, Call):
                break
            self.take(asked, task, conversation, run, move.tool)
        run.reply = self.close(conversation, run)
        return run

    def take(self, asked: Asked, task: Task, conversation: Conversation, run: AgentRun, tool: str) -> None:
        """One step: the gate, then the boundary, which asks again."""
        outcome = self.use(asked, task, conversation, tool)
        if run.outcome is None:
            run.outcome = outcome
        run.steps.append({"tool": tool, "effect": outcome.decision.effect, "reason": outcome.decision.reason})
        conversation.results.append((tool, _in_words(outcome.decision)))

    def use(self, asked: Asked, task: Task, conversation: Conversation, tool: str) -> Outcome:
        """Use one tool, if it may be used."""
        decision = self.gate.check(asked, tool, task.named)
        if decision.effect != "allow":
            return Outcome(decision)
        return self.boundary.call(asked, tool, task.named)

    def close(self, conversation: Conversation, run: AgentRun) -> str:
        """The closing words, by the prompt that fits the outcome."""
        if not conversation.results or run.outcome is None:
            return ""
        waits = run.outcome.decision.effect == "require_approval"
        prompt = self.prompts.render(
            "handover" if waits else "answer", {"company": COMPANY, "tool": conversation.results[-1][0]}
        )
        return self.model.reply(prompt, conversation)


def _in_words(decision: Decision) -> str:
    """What a customer may know of a decision: no rule, no prompt, no internals."""
    return {"allow": "done", "require_approval": "waiting for a person"}.get(decision.effect, "not available")
