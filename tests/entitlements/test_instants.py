"""RFC 3339 instants compare as time does, and calendar windows end where the calendar says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.entitlements.instants import instant_of, resets_at


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.0000000001Z"),
        ("2026-01-01T00:00:00.49Z", "2026-01-01T00:00:00.5Z"),
        ("2026-01-01T00:30:00+01:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2025-12-31T23:30:00-01:00"),
        ("2016-12-31T23:59:59.9Z", "2016-12-31T23:59:60Z"),
    ],
)
def test_instants_compare_as_time_does(earlier: str, later: str) -> None:
    first, second = instant_of(earlier), instant_of(later)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"),
        ("2026-01-01T00:00:00Z", "2026-01-01t00:00:00.000z"),
        ("2026-01-01T00:00:00Z", "2025-12-31T19:00:00-05:00"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00-00:00"),
    ],
)
def test_same_instant_in_two_writings_is_equal(one: str, other: str) -> None:
    assert instant_of(one) == instant_of(other) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "20260101T000000Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00.Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z ",
        "2026-01-01T00:00:00Z\n",
        "٢٠٢٦-01-01T00:00:00Z",
    ],
)
def test_anything_else_is_no_instant(text: str) -> None:
    assert instant_of(text) is None
    assert resets_at("day", time=text) is None


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),  # noqa: DTZ001 - zone added below
    st.integers(-1439, 1439),
)
def test_instants_agree_with_datetime(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    found = instant_of(moment.isoformat())
    since = moment - datetime(1, 1, 1, tzinfo=UTC)
    whole, fraction = divmod(since, timedelta(seconds=1))
    digits = f"{fraction.microseconds:06d}".rstrip("0")
    assert found == (whole + 86_400, digits)


@pytest.mark.parametrize(
    ("window", "time", "following"),
    [
        ("hour", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"),
        ("hour", "2026-01-01T00:59:59.9Z", "2026-01-01T01:00:00Z"),
        ("hour", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"),
        ("day", "2026-02-28T12:00:00Z", "2026-03-01T00:00:00Z"),
        ("day", "2024-02-28T12:00:00Z", "2024-02-29T00:00:00Z"),
        ("day", "2026-03-01T00:30:00+01:00", "2026-03-01T00:00:00Z"),
        ("week", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("week", "2026-01-04T23:59:59Z", "2026-01-05T00:00:00Z"),
        ("week", "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"),
        ("week", "2026-01-05T00:30:00+01:00", "2026-01-05T00:00:00Z"),
        ("week", "2026-12-30T00:00:00Z", "2027-01-04T00:00:00Z"),
        ("week", "9999-12-31T00:00:00Z", None),
        ("month", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("month", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("month", "2026-12-31T23:00:00-05:00", "2027-02-01T00:00:00Z"),
        ("month", "9999-12-31T00:00:00Z", None),
        ("day", "9999-12-31T00:00:00Z", None),
        ("hour", "9999-12-31T23:59:59Z", None),
        ("rolling PT1H", "2026-01-01T00:00:00Z", None),
        ("run", "2026-01-01T00:00:00Z", None),
        ("term", "2026-01-01T00:00:00Z", None),
        ("billing P1M", "2026-01-01T00:00:00Z", None),
    ],
)
def test_calendar_window_starts_again_in_utc(window: str, time: str, following: str | None) -> None:
    assert resets_at(window, time=time) == following
