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


# A matrix of our own in the published form: chat 3 a month for solo and without an end for team; export for team only;
# beta in the test environment only. Each row: plan, state, feature, used before, environment, whether it is allowed.
OWN: dict[str, Any] = {
    "features": ["chat", "export", "beta"],
    "envs": ["test", "live"],
    "feature_envs": {"chat": ["test", "live"], "export": ["test", "live"], "beta": ["test"]},
    "grace_features_when_past_due": ["chat"],
    "plans": {
        "solo": {"features": {"chat": 3, "beta": 1}},
        "team": {"features": {"chat": None, "export": 2, "beta": None}},
    },
    "rows": [
        ["solo", "active", "chat", 0, "live", True],
        ["solo", "active", "chat", 2, "live", True],
        ["solo", "active", "chat", 3, "live", False],
        ["solo", "active", "chat", 4, "live", False],
        ["team", "active", "chat", 1_000_000, "live", True],
        ["solo", "active", "export", 0, "live", False],
        ["team", "active", "export", 1, "live", True],
        ["team", "active", "export", 2, "live", False],
        ["solo", "active", "beta", 0, "test", True],
        ["solo", "active", "beta", 0, "live", False],
        ["team", "active", "beta", 9, "test", True],
        ["team", "active", "beta", 9, "live", False],
        ["solo", "trialing", "chat", 2, "live", True],
        ["solo", "trialing", "chat", 3, "live", False],
        ["team", "trialing", "export", 0, "live", True],
        ["solo", "past_due", "chat", 0, "live", True],
        ["solo", "past_due", "chat", 3, "live", False],
        ["team", "past_due", "export", 0, "live", False],
        ["team", "past_due", "beta", 0, "test", False],
        ["solo", "canceled", "chat", 0, "live", False],
        ["team", "canceled", "chat", 0, "live", False],
        ["solo", "paused", "chat", 0, "live", False],
        ["team", "paused", "export", 0, "test", False],
        ["nobody", "active", "chat", 0, "live", False],
        ["team", "active", "unheard-of", 0, "live", False],
    ],
}


@pytest.fixture(scope="module")
def matrix() -> dict[str, Any]:
    path = ROOT.parent / "shared" / "vectors" / "gating" / "reference" / "plan-matrix.json"
    if not path.exists():
        pytest.skip("left out: ../shared/vectors/gating/reference is absent")
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


def _decided_otherwise(matrix: dict[str, Any]) -> list[tuple[Any, ...]]:
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
    return wrong


def test_every_published_row_is_decided_alike(matrix: dict[str, Any]) -> None:
    assert _decided_otherwise(matrix) == []
    assert len(matrix["rows"]) == 1_920


@pytest.mark.parametrize("row", OWN["rows"], ids=lambda row: "-".join(map(str, row)))
def test_a_row_of_our_own_matrix_is_decided_as_written_and_not_the_other_way(row: list[Any]) -> None:
    assert _decided_otherwise({**OWN, "rows": [row]}) == []
    assert len(_decided_otherwise({**OWN, "rows": [[*row[:-1], not row[-1]]]})) == 1
