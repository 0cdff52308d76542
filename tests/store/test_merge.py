"""Shards merge into exactly the run they are parts of, and nothing else merges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from plangate.documents.suite import AXES
from plangate.entitlements.decision import Effect, LimitDetail
from plangate.errors import InputError, StoreError
from plangate.store.comparison import differences
from plangate.store.merge import merge_runs
from plangate.store.reader import StoredRun
from plangate.verdicts.observation import Observed
from plangate.verdicts.result import RunVerdict
from tests.store.runs import ALLOW, DENY, SAW_ALLOW, SAW_DENY, SAW_NOTHING, digest, header, suite, write_run


def shard(folder: Path, number: int, of: int, cells: dict[int, bool], **changes) -> Path:
    record = suite(cells=len(cells))
    return write_run(
        folder / f"{number}-{of}.sqlite",
        [ALLOW if number % 2 else DENY for number in cells],
        [[SAW_ALLOW if (number % 2) != leaks else SAW_DENY] * 2 for number, leaks in cells.items()],
        of=record,
        head=header(f"r-{number}", shard=f"{number}/{of}", **changes),
        numbers=list(cells),
    )


def test_shards_make_the_whole_run(tmp_path: Path) -> None:
    parts = [shard(tmp_path, 1, 2, {0: False, 3: False}), shard(tmp_path, 2, 2, {1: False, 2: True, 4: False})]
    whole = shard(tmp_path, 1, 1, {0: False, 1: False, 2: True, 3: False, 4: False})
    merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")
    with StoredRun(tmp_path / "merged.sqlite") as merged, StoredRun(whole) as one:
        assert merged.summary().fingerprint == one.summary().fingerprint
        assert merged.summary().totals == one.summary().totals
        assert merged.summary().leaked == 1
        assert list(differences(merged, one)) == []


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({"number": 1, "of": 2}, "missing: 2/2"),
        ({"number": 2, "of": 3}, "missing"),
        ({"number": 2, "of": 2, "release": "sha256:other"}, "another release"),
        ({"number": 2, "of": 2, "effective": "sha256:other"}, "another effective"),
    ],
)
def test_what_is_not_the_rest_of_the_run_is_refused(tmp_path: Path, second, why) -> None:
    other = tmp_path / "other"
    changes = {name: value for name, value in second.items() if name not in ("number", "of")}
    parts = [
        shard(tmp_path, 1, 2, {0: False}),
        shard(other, second["number"], second["of"], {1: False}, **changes),
    ]
    with pytest.raises(InputError, match=why):
        merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")
    assert not (tmp_path / "merged.sqlite").exists()


def test_other_repeats_are_refused(tmp_path: Path) -> None:
    one = shard(tmp_path, 1, 2, {0: False})
    record = replace(suite(cells=1, passes=3))
    other = write_run(
        tmp_path / "b.sqlite", [ALLOW], [[SAW_ALLOW] * 3], of=record, head=header("r-2", shard="2/2"), numbers=[1]
    )
    with pytest.raises(InputError, match="repeats"):
        merge_runs([one, other], tmp_path / "merged.sqlite", run="r-merged")


def test_differences_name_cells_of_either_run(tmp_path: Path) -> None:
    before = shard(tmp_path / "b", 1, 1, {0: False, 1: False, 2: False})
    after = shard(tmp_path / "a", 1, 1, {1: False, 2: True, 3: False})
    with StoredRun(before) as one, StoredRun(after) as other:
        found = {
            ((d.before or d.after).axes["capability"], d.before is None, d.after is None)
            for d in differences(one, other)
        }
    assert found == {("capability.0", False, True), ("capability.3", True, False), ("capability.2", False, False)}


def limited(path: Path, *told: LimitDetail | None) -> Path:
    due = replace(DENY, reason="limit_exceeded", limit=LimitDetail("messages", 20, 0, "2026-01-02T00:00:00Z"))
    seen = [Observed(effect=Effect.DENY, reason="limit_exceeded", limit=limit) for limit in told]
    return write_run(path, [due] * len(seen), [[one] * 2 for one in seen])


def test_limits_differ_where_both_runs_tell_them(tmp_path: Path) -> None:
    right, other = LimitDetail("messages", 20, 0), LimitDetail("messages", 20, 3)
    never = LimitDetail("messages", 20, 0, "1970-01-01T00:00:00Z")
    before = limited(tmp_path / "b.sqlite", right, right, right, None, never)
    after = limited(tmp_path / "a.sqlite", right, other, None, right, right)
    with StoredRun(before) as one, StoredRun(after) as two:
        found = {difference.before.axes["capability"] for difference in differences(one, two) if difference.before}
        assert one.summary().fingerprint == two.summary().fingerprint
        assert one.summary().details != two.summary().details
    assert found == {"capability.1", "capability.4"}


def test_a_run_that_is_older_than_an_axis_has_its_normal_value(tmp_path: Path) -> None:
    record = suite(cells=1)
    old = replace(record, axes={axis: values for axis, values in record.axes.items() if axis not in ("cost", "usage")})
    path = write_run(tmp_path / "old.sqlite", [ALLOW], [[SAW_ALLOW] * 2], of=replace(old, spanned=AXES))
    with StoredRun(path) as run:
        (result,) = run.cells()
    assert (result.axes["cost"], result.axes["usage"], result.axes["phrasing"]) == ("catalog", "zero", None)


RIGHT, WRONG, UNASKED = ("as declared", ()), ("differs", ("app.version: pinned 1, runs 2",)), ("not checked", ())


@pytest.mark.parametrize(
    ("first", "second", "union"),
    [
        (RIGHT, RIGHT, "as declared"), (RIGHT, WRONG, "differs"), (WRONG, UNASKED, "differs"),
        (RIGHT, UNASKED, "not checked"), (UNASKED, UNASKED, "not checked"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("swapped", [False, True])
def test_what_ran_in_shards_is_joined_honestly(tmp_path: Path, first, second, union, swapped) -> None:
    said = [second, first] if swapped else [first, second]
    parts = [
        shard(tmp_path, number, 2, {number - 1: False}, ran=ran, ran_differences=differ)
        for number, (ran, differ) in enumerate(said, 1)
    ]
    merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")
    with StoredRun(tmp_path / "merged.sqlite") as merged:
        summary = merged.summary()
    assert summary.header.ran == union
    assert summary.header.ran_differences == (WRONG[1] if union == "differs" else ())
    assert (summary.verdict == "undecided") == (union == "differs")


def test_shards_of_two_builds_differ(tmp_path: Path) -> None:
    told = [
        shard(tmp_path, number, 2, {number - 1: False}, ran="as declared", told=f"sha256:{number}") for number in (1, 2)
    ]
    merge_runs(told, tmp_path / "merged.sqlite", run="r-merged")
    with StoredRun(tmp_path / "merged.sqlite") as merged:
        assert merged.header.ran == "differs"


def test_a_shard_that_has_not_finished_is_refused(tmp_path: Path) -> None:
    """Its missing cells would make a finished run with holes."""
    whole = shard(tmp_path, 1, 2, {0: False})
    holed = write_run(
        tmp_path / "holed.sqlite", [DENY], [[SAW_DENY]], of=suite(cells=1),
        head=header("r-2", shard="2/2"), numbers=[1], finished="",
    )  # fmt: skip
    with pytest.raises(InputError, match="r-2 has not finished"):
        merge_runs([whole, holed], tmp_path / "merged.sqlite", run="r-merged")


def test_shards_of_another_selection_are_refused(tmp_path: Path) -> None:
    parts = [shard(tmp_path, 1, 2, {0: False}, selection="plan free"), shard(tmp_path, 2, 2, {1: False})]
    with pytest.raises(InputError, match="another selection"):
        merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")


def test_the_same_shard_twice_is_refused_though_none_is_missing(tmp_path: Path) -> None:
    parts = [
        shard(tmp_path, 1, 2, {0: False}), shard(tmp_path, 2, 2, {1: False}),
        shard(tmp_path / "again", 2, 2, {1: False}),
    ]  # fmt: skip
    with pytest.raises(InputError, match="shards 1/2, 2/2, 2/2; missing: none"):
        merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")


def test_what_came_back_is_merged_with_the_verdicts(tmp_path: Path) -> None:
    silent = write_run(
        tmp_path / "s.sqlite", [ALLOW], [[SAW_NOTHING] * 2], of=suite(cells=1), head=header("r-2", shard="2/2"),
        numbers=[1],
    )  # fmt: skip
    merge_runs([shard(tmp_path, 1, 2, {0: False}), silent], tmp_path / "merged.sqlite", run="r-merged")
    with StoredRun(tmp_path / "merged.sqlite") as merged:
        assert merged.cell("c-" + digest(1).hex()).observed[0].detail == SAW_NOTHING.detail


def test_a_merge_that_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    parts = [shard(tmp_path, 1, 2, {0: False}), shard(tmp_path, 2, 2, {0: False})]  # one cell in both: no shards
    with pytest.raises(StoreError):
        merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")
    assert list(tmp_path.glob("merged*")) == []


def test_a_merged_run_finished_when_its_last_shard_did(tmp_path: Path) -> None:
    ends = ("2026-01-01T00:09:00Z", "2026-01-01T00:05:00Z")
    parts = [
        write_run(
            tmp_path / f"{at}.sqlite", [ALLOW], [[SAW_ALLOW] * 2], of=suite(cells=1),
            head=header(f"r-{at}", shard=f"{at + 1}/2"), numbers=[at], finished=end,
        )
        for at, end in enumerate(ends)
    ]  # fmt: skip
    merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")
    with StoredRun(tmp_path / "merged.sqlite") as merged:
        assert merged.header.finished == ends[0]


@pytest.mark.parametrize(
    ("ran", "verdict"),
    [("not checked", RunVerdict.UNDECIDED), ("differs", RunVerdict.UNDECIDED), ("as declared", RunVerdict.PASSED)],
)
def test_shards_of_two_builds_are_no_pass_unless_each_was_what_is_declared(tmp_path: Path, ran, verdict) -> None:
    parts = [
        shard(tmp_path, at, 2, {at: False, at + 2: False}, code=f"sha256:{at}", ran=ran) for at in (1, 2)
    ]  # fmt: skip
    merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")
    with StoredRun(tmp_path / "merged.sqlite") as merged:
        summary = merged.summary()
    told = "the app's code in the workspace: shard 2/2 ran other files or packages than shard 1/2"
    assert summary.verdict is verdict
    assert summary.header.ran_differences == (() if verdict is RunVerdict.PASSED else (told,))


def test_a_leak_in_one_of_two_builds_fails_the_whole(tmp_path: Path) -> None:
    parts = [shard(tmp_path, at, 2, {at: at == 2}, code=f"sha256:{at}") for at in (1, 2)]
    merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")
    with StoredRun(tmp_path / "merged.sqlite") as merged:
        assert merged.summary().verdict is RunVerdict.FAILED


def test_a_union_names_every_run_that_shards_were_taken_from_and_is_of_no_single_code(tmp_path: Path) -> None:
    taken = {1: "", 2: "r-old"}
    parts = [
        shard(
            tmp_path, at, 2, {at: False}, code=f"sha256:{at}", surroundings=f"sha256:{at}", ran="as declared",
            reused_from=taken[at],
        )
        for at in (1, 2)
    ]  # fmt: skip
    merge_runs(parts, tmp_path / "merged.sqlite", run="r-merged")
    with StoredRun(tmp_path / "merged.sqlite") as merged:
        header = merged.header
    assert header.reused_from == "r-old"
    assert not {header.code, header.surroundings} & {"", "sha256:1", "sha256:2"}
