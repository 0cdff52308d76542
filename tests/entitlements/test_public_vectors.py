"""The oracle against 1,920 published rows of a plan matrix that other engines (Rego, Cerbos, OpenFGA, flagd) share.

How its words read here: a feature is a capability that consumes one unit of a limit of its own name, a month long;
`null` is unlimited. `active` is Subscribed; `trialing` is a state that retains every feature; `past_due` retains the
grace features; `canceled` and `paused` retain nothing. An environment that lacks a feature denies it by policy.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plangate.documents.environment import Policy
from plangate.entitlements.oracle import Oracle
from plangate.entitlements.request import Request, Subject
from tests.entitlements.catalogs import catalog_of

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def matrix() -> dict[str, Any]:
    path = ROOT.parent / "shared" / "vectors" / "gating" / "reference" / "plan-matrix.json"
    if not path.exists():
        pytest.skip("left out: ../shared/vectors is absent")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def as_catalog(matrix: dict[str, Any]) -> dict[str, Any]:
    features = matrix["features"]
    return {
        "capabilities": {feature: {"consumes": {feature: 1}} for feature in features},
        "limits": {feature: {"unit": "use", "window": "month"} for feature in features},
        "states": {
            "trialing": {"retains": features},
            "past_due": {"retains": matrix["grace_features_when_past_due"]},
            "canceled": {"retains": []},
            "paused": {"retains": []},
        },
        "plans": {
            plan: {
                "grants": list(body["features"]),
                "limits": {
                    feature: "unlimited" if number is None else number for feature, number in body["features"].items()
                },
            }
            for plan, body in matrix["plans"].items()
        },
    }


def test_every_published_row_is_decided_alike(matrix: dict[str, Any]) -> None:
    catalog = catalog_of(as_catalog(matrix))
    oracles = {
        env: Oracle.of(
            catalog,
            Policy(denied=tuple(feature for feature, envs in matrix["feature_envs"].items() if env not in envs)),
        )
        for env in matrix["envs"]
    }
    wrong = []
    for plan, state, feature, used, env, allow in matrix["rows"]:
        subject = Subject(plan=plan, state="Subscribed" if state == "active" else state, usage={feature: used})
        decision = oracles[env].decide(subject, Request(capability=feature))
        if (decision.effect == "allow") is not allow:
            wrong.append((plan, state, feature, used, env, decision.rule))
    assert wrong == []
    assert len(matrix["rows"]) == 1_920
