"""When a video check counts, and which spans of time it leaves."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from app.evidence.video_rules import Held, Rhythm, after_check, changed_spans
from kpi.status import Status

HOUR = Rhythm(interval_s=3_600, ttl_s=7_200)
INTACT, NO_VIDEO, AUTH_FAILED = Status.INTACT, Status.NO_VIDEO, Status.AUTH_FAILED
UNKNOWN = Status.UNKNOWN
DEVICE, NOON = 7, 1_800_000_000


def after(*checks: tuple[int, Status], held: Held | None = None) -> Held:
    """What holds after checks at seconds after noon."""
    held = held or Held()
    for at, outcome in checks:
        held = after_check(held, outcome, DEVICE, NOON + at, HOUR)
    return held


def test_a_good_check_counts_at_once_and_is_extended() -> None:
    first = after((0, INTACT))
    assert (first.status, first.start, first.end) == (INTACT, NOON, NOON + 7_200)
    assert NOON < first.next_at <= NOON + 3_600
    later = after((0, INTACT), (3_600, INTACT))
    assert (later.start, later.end) == (NOON, NOON + 10_800)
    assert after((0, INTACT), (7_200, INTACT)).start == NOON + 7_200  # too late to be extended


def test_a_failure_counts_when_it_is_confirmed() -> None:
    once = after((0, INTACT), (3_600, NO_VIDEO))
    assert (once.status, once.doubted, once.next_at) == (INTACT, True, NOON + 3_630)
    twice = after((0, INTACT), (3_600, NO_VIDEO), (3_660, NO_VIDEO))
    assert (twice.status, twice.start, twice.end) == (NO_VIDEO, NOON + 3_660, NOON + 10_860)
    assert twice.next_at == NOON + 3_660 + 180
    assert after((0, NO_VIDEO)).status is UNKNOWN
    assert after((0, NO_VIDEO), (60, INTACT)).status is INTACT


def test_a_repair_shows_at_the_next_try() -> None:
    repaired = after((0, NO_VIDEO), (60, NO_VIDEO), (240, INTACT))
    assert (repaired.status, repaired.start) == (INTACT, NOON + 240)


def test_one_failure_goes_over_into_another_at_once() -> None:
    other = after((0, NO_VIDEO), (60, NO_VIDEO), (240, AUTH_FAILED))
    assert (other.status, other.start) == (AUTH_FAILED, NOON + 240)


def test_what_was_not_measured_changes_nothing() -> None:
    before = after((0, INTACT))
    same = after((600, UNKNOWN), held=before)
    assert (same.status, same.start, same.end) == (INTACT, NOON, NOON + 7_200)
    assert not changed_spans(before, same)
    doubted = after((0, INTACT), (60, NO_VIDEO), (120, UNKNOWN), (180, NO_VIDEO))
    assert doubted.status is NO_VIDEO


def test_the_spans_that_change() -> None:
    good = after((0, INTACT))
    assert changed_spans(Held(), good) == [(NOON, NOON + 7_200, INTACT)]
    longer = after((600, INTACT), held=good)
    assert changed_spans(good, longer) == [(NOON, NOON + 7_800, INTACT)]
    bad = after((660, NO_VIDEO), (720, NO_VIDEO), held=longer)
    assert changed_spans(longer, bad) == [
        (NOON + 720, NOON + 7_920, NO_VIDEO),
        (NOON, NOON + 720, INTACT),
    ]


@given(st.integers(1, 10**6), st.integers(60, 86_400))
def test_own_times_come_once_an_interval(now: int, interval_s: int) -> None:
    rhythm = Rhythm(interval_s, 2 * interval_s)
    following = rhythm.next_regular(DEVICE, now)
    assert now < following <= now + interval_s
    assert rhythm.next_regular(DEVICE, following) == following + interval_s


def test_own_times_are_spread() -> None:
    times = sorted(HOUR.next_regular(device, NOON) for device in range(1, 3_293))
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps) <= 3
    fullest = max(
        sum(start <= t < start + 60 for t in times) for start in range(NOON, NOON + 3_600)
    )
    assert fullest <= 2 * 3_292 / 60


OUTCOMES = st.sampled_from([INTACT, NO_VIDEO, AUTH_FAILED, UNKNOWN])


@given(st.lists(st.tuples(st.integers(1, 9_000), OUTCOMES), max_size=30))
def test_spans_tell_what_held(checks: list[tuple[int, Status]]) -> None:
    """They never overlap, only the time from now on changes, and they end in what holds."""
    spans: dict[int, tuple[int, Status]] = {}
    held, now = Held(), NOON
    for wait, outcome in checks:
        now += wait
        before, held = held, after_check(held, outcome, DEVICE, now, HOUR)
        past = {at: _status_at(spans, at) for at in range(NOON, now, 600)}
        spans |= {start: (end, status) for start, end, status in changed_spans(before, held)}
        assert {at: _status_at(spans, at) for at in past} == past
        assert held.next_at > now
        assert _status_at(spans, now) is (held.status if now < held.end else UNKNOWN)
    ordered = sorted((start, end) for start, (end, _) in spans.items())
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(ordered))


def _status_at(spans: dict[int, tuple[int, Status]], at: int) -> Status:
    found = [status for start, (end, status) in spans.items() if start <= at < end]
    assert len(found) <= 1
    return found[0] if found else UNKNOWN
