"""Names of cells and subjects: one definition, safe characters, the same in every process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from plangate.documents.suite import AXES
from plangate.entitlements.oracle import Oracle
from plangate.entitlements.request import Subject
from plangate.errors import InputError
from plangate.matrix.expansion import expand
from plangate.matrix.identity import canonical, cell_digest, fragment, subject_id, text
from tests.entitlements.catalogs import sample
from tests.matrix.suites import TARGETS, suite_of

ROOT = Path(__file__).resolve().parents[2]

names = st.text(st.characters(exclude_categories=("Cs",)))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), names),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(names, inner)),
)


@given(values)
def test_canonical_bytes_are_those_of_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        text("\ud800")
    assert caught.value.code == "not-unicode"


def test_a_value_of_another_type_is_never_the_normal_one() -> None:
    """To Python `1 == True`; to a reader of JSON one seat is not a link."""
    assert fragment("quantity", 1) == b""
    assert fragment("quantity", True) == b'"quantity":true'
    assert fragment("linked", True) == b""
    assert fragment("linked", 1) == b'"linked":1'


def test_normal_values_are_left_out_and_others_are_not() -> None:
    normal = (
        "pro",
        "Subscribed",
        "kb.search",
        "default",
        "zero",
        "plan",
        "none",
        1,
        "full",
        True,
        "none",
        "catalog",
        None,
    )
    named = rfc8785.dumps(
        {
            "axes": {"plan": "pro", "state": "Subscribed", "capability": "kb.search", "surface": "default"},
            "catalog": "c",
            "suite": "s",
        }
    )
    import hashlib

    assert cell_digest(normal, catalog="c", suite="s") == hashlib.sha256(named).digest()[:10]
    others = [
        cell_digest((*normal[:at], value, *normal[at + 1 :]), catalog="c", suite="s")
        for at, value in [(4, "first_over:x"), (7, 2), (7, None), (9, False), (11, "more"), (12, "please")]
    ]
    assert len({cell_digest(normal, catalog="c", suite="s"), *others}) == 7


@pytest.mark.parametrize(
    ("differs", "cell", "subject"),
    [
        ({"usage": "first_over:messages"}, "c-1172558bd76c81d05d88", "t-pro-subscribed-4237bff14f38"),
        (
            {"override": "grant_expired", "quantity": 2, "consent": "none"},
            "c-ee9c4aca66487d8bc5c0",
            "t-pro-subscribed-ee2add12a888",
        ),
    ],
)
def test_cells_keep_the_ids_they_had_before_there_was_an_axis_for_the_cost(
    differs: dict[str, object], cell: str, subject: str
) -> None:
    axes = {"plan": ["pro"], "state": ["Subscribed"], "capability": ["kb.search"], "usage": "boundary", "cost": "more"}
    axes = {**axes, "consent": "boundary", "override": "boundary", "quantity": [1, 2, None]}
    wanted = {"usage": "zero", "consent": "full", "override": "none", "quantity": 1, "cost": "catalog", **differs}
    found = [
        (one.id, one.subject_id)
        for one in expand(suite_of(axes), Oracle.of(sample()), surfaces=TARGETS)
        if wanted.items() <= dict(zip(AXES, one.axes, strict=True)).items()
    ]

    assert found == [(cell, subject)]


@given(names, names)
def test_subject_ids_are_safe_in_addresses_and_headers(plan: str, state: str) -> None:
    found = subject_id(Subject(plan=plan, state=state))

    assert re.fullmatch(r"t-[a-z0-9](-?[a-z0-9])*-[a-z0-9](-?[a-z0-9])*-[0-9a-f]{12}", found)
    assert len(found) <= 98


def test_subject_ids_differ_though_their_readable_part_does_not() -> None:
    assert subject_id(Subject(plan="Pro!", state="a")) != subject_id(Subject(plan="pro?", state="a"))


SCRIPT = """
from plangate.entitlements.oracle import Oracle
from plangate.matrix.expansion import expand
from tests.entitlements.catalogs import sample
from tests.matrix.suites import FULL, TARGETS, suite_of
import hashlib
for strength in (None, 2):
    axes = FULL if strength else {**FULL, "addon": "none", "phrasing": {"file": "x"}, "quantity": [1]}
    matrix = expand(suite_of(axes, strength=strength), Oracle.of(sample()), surfaces=TARGETS)
    digest = hashlib.sha256()
    for cell in matrix.cells(range(0, len(matrix), 7)):
        digest.update(cell.digest + cell.subject_id.encode())
    print(len(matrix), digest.hexdigest(), str(matrix.coverage), dict(matrix.axes))
"""


def test_cells_their_order_and_what_is_sampled_are_the_same_in_every_process() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}/harness{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }

    assert len(said) == 1
    assert said.pop().count("\n") == 2
