"""The AuthZEN decision point: single and batch, over subjects that the caller describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from copilot.authzen import MalformedQuestionError, answer, ask_from, customer_from
from copilot.entitlements import Decision, EntitlementService

__all__ = ["DecisionPoint", "Witness"]

Witness = Callable[[Mapping[str, Any], Decision], None]
"""Told of each decision before it is given out."""
ITEMS_MAX = 1_000
ENTITIES = ("subject", "action", "resource", "context")
STOPS_ON = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}


class DecisionPoint:
    """Answers evaluations. It holds nothing between two questions."""

    def __init__(self, service: EntitlementService, *, witness: Witness | None = None) -> None:
        self.service = service
        self.witness = witness

    def evaluate(self, evaluation: dict[str, Any]) -> dict[str, Any]:
        """The answer to one evaluation. Raises MalformedQuestionError."""
        decision = self.service.decide(customer_from(evaluation), ask_from(evaluation))
        if self.witness is not None:
            self.witness(evaluation, decision)
        return answer(decision)

    def evaluate_all(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answers to a batch, in its order. Top-level entities stand in for those an item leaves out, whole.

        An item that cannot be read is refused and says so; only a batch that cannot be read raises.
        """
        items = body.get("evaluations")
        if not items:
            return self.evaluate(body)
        if not isinstance(items, list) or len(items) > ITEMS_MAX:
            raise MalformedQuestionError(f"evaluations must be a list of at most {ITEMS_MAX}")
        options = body.get("options") or {}
        semantic = options.get("evaluations_semantic", "execute_all") if isinstance(options, dict) else None
        if semantic not in STOPS_ON:
            raise MalformedQuestionError("options.evaluations_semantic is not known")
        defaults = {name: body[name] for name in ENTITIES if name in body}
        answers = []
        for item in items:
            answers.append(self.evaluate_item(defaults, item))
            if answers[-1]["decision"] is STOPS_ON[semantic]:
                break
        return {"evaluations": answers}

    def evaluate_item(self, defaults: dict[str, Any], item: Any) -> dict[str, Any]:
        """The answer to one item of a batch. Total: what cannot be read is refused."""
        try:
            if not isinstance(item, dict):
                raise MalformedQuestionError("an evaluation must be an object")
            return self.evaluate({**defaults, **item})
        except MalformedQuestionError as error:
            return {"decision": False, "context": {"error": {"status": 400, "message": str(error)}}}
