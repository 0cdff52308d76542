"""What is recorded with each suite of a run: the requirements that it shows at the targets of its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from plangate.documents.workspace import Workspace
from plangate.engine.session import prepare

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("environment", "layers"), [("stage", {"C4", "C22"}), ("dev", set())])
def test_each_layer_is_recorded_where_each_surface_has_a_door_of_its_own(environment: str, layers: set[str]) -> None:
    (suite,) = prepare(Workspace(ROOT), environment, environ={}, suites=["gating"]).suites
    assert {"C4", "C22"} & set(suite.covers) == layers
    assert {"C2", "C10"} <= set(suite.covers)
