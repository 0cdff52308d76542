"""The decision point, to be called in process: `evaluate` takes an AuthZEN evaluation and gives the answer.

It is the same service that stands behind every gate of the app, with nothing around it: no server, no database. What a
customer has used comes in with the question.
"""

from __future__ import annotations

import os
from typing import Any

from copilot.bugs import parts_for
from copilot.settings import settings_from

__all__ = ["evaluate"]

_settings = settings_from(os.environ)
_parts = parts_for(_settings.bug)
_point = _parts.decision_point(_parts.entitlements(_parts.read_plans(_settings.plans), _settings.policy))


def evaluate(request: dict[str, Any]) -> dict[str, Any]:
    """The decision for one evaluation request. Raises MalformedQuestionError where it cannot be read."""
    return _point.evaluate(request)
