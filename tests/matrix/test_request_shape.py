"""The evaluation request: the sample of the specification, and nothing in it that a receiver could spoil for others."""

from __future__ import annotations

from typing import Any

from plangate.entitlements.oracle import Oracle
from plangate.entitlements.request import Consent, Override, Request, Subject
from plangate.matrix.cell import Cell
from plangate.matrix.expansion import expand
from plangate.matrix.identity import subject_properties
from plangate.matrix.request_shape import evaluation_request
from tests.entitlements.catalogs import sample
from tests.matrix.suites import FULL, TARGETS, suite_of

SUBJECT = Subject(
    plan="pro",
    state="Subscribed",
    quantity=5,
    consents=(Consent("Tickets.ReadWrite", "admin"),),
    usage={"messages": 499, "exports": 0},
    overrides=(Override("report.export", "grant", "9999-01-01T00:00:00Z"),),
)
REQUEST = Request(
    capability="report.export",
    surface="tool",
    settings={"data_scope": "team"},
    cost={"exports": 1},
    time="2026-11-22T00:00:00Z",
)


def test_the_request_is_that_of_the_specification() -> None:
    cell = Cell(0, bytes(10), (), "t-pro-subscribed", SUBJECT, REQUEST)

    assert evaluation_request(cell) == {
        "subject": {
            "type": "tenant",
            "id": "t-pro-subscribed",
            "properties": {
                "plan": "pro",
                "state": "Subscribed",
                "quantity": 5,
                "addons": [],
                "tenant_linked": True,
                "consents": [{"name": "Tickets.ReadWrite", "level": "admin"}],
                "usage": {"messages": 499, "exports": 0},
                "overrides": [{"capability": "report.export", "effect": "grant", "expires": "9999-01-01T00:00:00Z"}],
            },
        },
        "action": {"name": "report.export"},
        "resource": {"type": "capability", "id": "report.export", "properties": {"data_scope": "team"}},
        "context": {"surface": "tool", "cost": {"exports": 1}, "phrasing": None, "time": "2026-11-22T00:00:00Z"},
    }
    assert evaluation_request(cell)["subject"]["properties"] == subject_properties(SUBJECT)


def test_whatever_a_receiver_does_to_it_the_next_request_is_whole() -> None:
    matrix = expand(suite_of(FULL), Oracle.of(sample()), surfaces=TARGETS)
    cells = list(matrix.cells(range(0, len(matrix), 4_001)))
    before = [evaluation_request(cell) for cell in cells]
    for cell in cells:
        spoil(evaluation_request(cell))

    assert [evaluation_request(cell) for cell in cells] == before
    assert list(matrix.cells(cell.number for cell in cells)) == cells


def spoil(value: Any) -> None:
    for inner in list(value.values() if isinstance(value, dict) else value):
        if isinstance(inner, (dict, list)):
            spoil(inner)
    value.clear()
