"""The lock: a locked document never changes silently, and a lock that cannot be read unlocks nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import InputError, PinError
from plangate.releases.lock import Lock, compare, extended, lock_text, merged, read_lock

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
CATALOG, SUITE = "envs/plans/shop/1.0.0.yaml", "evals/gating.yaml@5"


def codes(lock: Lock, found: dict[str, str], pinned: set[str] | None = None) -> list[tuple[str, str, str]]:
    problems = compare(lock, found, pinned=pinned or set())
    return [(problem.path, problem.code, problem.severity) for problem in problems]


def test_what_is_locked_and_unchanged_is_fine() -> None:
    assert codes(Lock(files={CATALOG: A, SUITE: B}), {CATALOG: A, SUITE: B}, {CATALOG, SUITE}) == []


def test_a_changed_document_is_an_error_that_says_write_a_new_version() -> None:
    (problem,) = compare(Lock(files={CATALOG: A}), {CATALOG: B}, pinned=())
    assert (problem.path, problem.code, problem.severity) == (CATALOG, "locked-file-changed", "error")
    assert "write a new version" in problem.hint
    (problem,) = compare(Lock(files={SUITE: A}), {SUITE: B}, pinned=())
    assert problem.path == "evals/gating.yaml"
    assert "raise metadata.version above 5" in problem.hint


def test_a_locked_document_that_is_gone_is_an_error() -> None:
    assert codes(Lock(files={CATALOG: A}), {}) == [(CATALOG, "locked-file-missing", "error")]


def test_a_suite_moves_on_to_its_next_version() -> None:
    lock = Lock(files={SUITE: A})
    found = {"evals/gating.yaml@6": B}
    assert codes(lock, found, set(found)) == [("evals/gating.yaml", "not-locked", "warning")]
    assert extended(lock, found).files == {SUITE: A, **found}


def test_going_back_to_a_locked_version_with_other_content_is_an_error() -> None:
    lock = Lock(files={SUITE: A, "evals/gating.yaml@6": B})
    assert codes(lock, {SUITE: B}) == [("evals/gating.yaml", "locked-file-changed", "error")]


def test_a_pinned_document_that_nobody_locked_is_a_warning_and_an_unpinned_one_nothing() -> None:
    assert codes(Lock(), {CATALOG: A}, {CATALOG}) == [(CATALOG, "not-locked", "warning")]
    assert codes(Lock(), {CATALOG: A}) == []


def test_locking_adds_and_never_replaces() -> None:
    lock = extended(Lock(files={CATALOG: A}), {CATALOG: A, SUITE: B})
    assert lock.files == {CATALOG: A, SUITE: B}
    with pytest.raises(PinError) as refused:
        extended(lock, {CATALOG: B, SUITE: A})
    assert [problem.code for problem in refused.value.problems] == ["locked-file-changed"] * 2


def test_no_lock_file_is_an_empty_lock() -> None:
    assert read_lock(None) == Lock()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty-document"),
        ("{", "yaml-syntax"),
        ("[]", "lock-unreadable"),
        ('{"version": 1}', "lock-unreadable"),
        ('{"version": 2, "files": {}}', "lock-unreadable"),
        ('{"version": 1, "files": [], "more": 1}', "lock-unreadable"),
        ('{"version": 1, "files": []}', "lock-unreadable"),
        ('{"version": 1, "files": {"a": "sha256:abc"}}', "lock-unreadable"),
        ('{"version": 1, "files": {"a": 5}}', "lock-unreadable"),
        (f'{{"version": 1, "files": {{"a": "{A}", "a": "{B}"}}}}', "duplicate-key"),
        (
            f'{{\n"version": 1, "files": {{\n<<<<<<< HEAD\n"a": "{A}"\n=======\n"a": "{B}"\n>>>>>>> x\n}}}}',
            "lock-conflict",
        ),
    ],
)
def test_a_lock_that_cannot_be_read_is_refused(text: str, code: str) -> None:
    with pytest.raises(InputError) as refused:
        read_lock(text.encode())
    assert code in {problem.code for problem in refused.value.problems}
    assert "plangate.lock" in str(refused.value)


_DIGESTS = st.integers(0, 2**256 - 1).map(lambda number: f"sha256:{number:064x}")
_FILES = st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z0-9.é]{1,8}){0,2}(@[1-9])?", fullmatch=True), _DIGESTS)


@given(_FILES)
def test_what_is_written_is_read_back(files: dict[str, str]) -> None:
    text = lock_text(Lock(files=files))
    assert read_lock(text.encode()).files == files
    assert json.loads(text) == {"version": 1, "files": files}
    assert lock_text(Lock(files=dict(reversed(files.items())))) == text


@given(_FILES, _FILES)
def test_after_locking_nothing_found_differs(first: dict[str, str], second: dict[str, str]) -> None:
    lock = extended(Lock(files=first), {**second, **first})
    assert compare(lock, {**second, **first}, pinned={**first, **second}) == []


C = "sha256:" + "c" * 64
CONFLICT = """{{
  "version": 1,
  "files": {{
    "envs/plans/shop/1.0.0.yaml": "{a}",
<<<<<<< HEAD
    "evals/gating.yaml@2": "{b}"
{base}=======
    "evals/gating.yaml@2": "{theirs}",
    "prompts/answer/1.0.0.md": "{c}"
>>>>>>> their-branch
  }}
}}
"""


def _conflict(*, theirs: str = B, base: str = "") -> bytes:
    return CONFLICT.format(a=A, b=B, c=C, theirs=theirs, base=base).encode()


def test_a_lock_with_both_sides_of_a_merge_says_so_and_how_to_go_on() -> None:
    with pytest.raises(InputError) as refused:
        read_lock(_conflict())
    assert (refused.value.code, "plangate lock" in refused.value.hint) == ("lock-conflict", True)


@pytest.mark.parametrize("base", ["", '||||||| 1234567\n    "gone": 1,\n'], ids=["merge", "diff3"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_what_both_sides_of_a_merge_locked_is_kept(base: str, line_end: bytes) -> None:
    lock = merged(_conflict(base=base).replace(b"\n", line_end))
    assert dict(lock.files) == {"envs/plans/shop/1.0.0.yaml": A, "evals/gating.yaml@2": B, "prompts/answer/1.0.0.md": C}
    assert merged(lock_text(lock).encode()) == lock


def test_what_the_two_sides_locked_differently_is_for_people_to_decide() -> None:
    with pytest.raises(PinError) as refused:
        merged(_conflict(theirs=C))
    (problem,) = refused.value.problems
    assert (problem.code, problem.path) == ("locked-file-changed", "evals/gating.yaml")


def test_a_digest_is_a_digest_to_its_last_character() -> None:
    """A pattern that ends in `$` would let a line break follow."""
    for digest in (A + "\n", A + " ", A[:-1], A.upper()):
        with pytest.raises(InputError) as refused:
            read_lock(json.dumps({"version": 1, "files": {CATALOG: digest}}).encode())
        assert refused.value.code == "lock-unreadable"
