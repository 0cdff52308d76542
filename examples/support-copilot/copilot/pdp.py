"""The decision point, to be called in process: `evaluate` takes an AuthZEN evaluation and gives the answer."""

from __future__ import annotations

import os
from typing import Any

from copilot.authzen import answer, ask_from, customer_from
from copilot.entitlements import EntitlementService
from copilot.plans import read_plan_book

__all__ = ["evaluate"]

_service = EntitlementService(read_plan_book(os.environ.get("COPILOT_PLANS", "3.2.0")))


def evaluate(request: dict[str, Any]) -> dict[str, Any]:
    """The decision for one evaluation request. Raises MalformedQuestionError where it cannot be read."""
    return answer(_service.decide(customer_from(request), ask_from(request)))
