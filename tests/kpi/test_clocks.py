"""When most clocks are off alike, ours is the suspect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.clocks import CommonOffset, common_offset

TOLERANCE_S = 10.0
Offsets = st.lists(st.integers(-100, 100), max_size=30)


@pytest.mark.parametrize(
    ("offsets", "found"),
    [
        ([], None),
        ([3600, 3600], None),  # two say nothing about ours
        ([3600, 3601, 3599], CommonOffset(3600, 3, 3)),
        ([3600, 3600, 0], CommonOffset(3600, 2, 3)),
        ([3600, 3600, 0, 0], None),  # half is not more than half
        ([3600, 3600, 3600, 0, -3600], CommonOffset(3600, 3, 5)),
        ([-3600, -3600, -3600, 0], CommonOffset(-3600, 3, 4)),
        ([0, 1, 0, 3600], None),
        ([10, 10, 10], None),  # within the tolerance
        ([11, 11, 11], CommonOffset(11, 3, 3)),
        ([100, 500, 900, 1300, 1700], None),  # each off in its own way
    ],
)
def test_who_is_suspected(offsets: list[float], found: CommonOffset | None) -> None:
    assert common_offset(offsets, TOLERANCE_S) == found


@given(Offsets)
def test_what_is_found_is_shared_by_more_than_half(offsets: list[int]) -> None:
    found = common_offset(offsets, TOLERANCE_S)
    if found is not None:
        sharing = [each for each in offsets if found.shares(each, TOLERANCE_S)]
        assert 2 * len(sharing) > len(offsets) == found.told
        assert len(sharing) == found.alike
        assert abs(found.offset_s) > TOLERANCE_S


@given(Offsets, st.randoms())
def test_order_does_not_matter(offsets: list[int], random: object) -> None:
    shuffled = sorted(offsets, key=lambda _each: random.random())  # type: ignore[attr-defined] # hypothesis' own
    assert common_offset(shuffled, TOLERANCE_S) == common_offset(offsets, TOLERANCE_S)


@given(st.integers(11, 86_400), st.integers(0, 20), st.integers(0, 20), st.data())
def test_a_cluster_decides_by_its_size(
    off: int, alike: int, right: int, data: st.DataObject
) -> None:
    """Clocks within half the tolerance of one offset, and others that are right by ours."""
    jitter = st.integers(-5, 5)
    offsets = [off + 15 + data.draw(jitter) for _ in range(alike)]
    offsets += [data.draw(jitter) for _ in range(right)]
    found = common_offset(offsets, TOLERANCE_S)
    assert (found is not None) == (alike > right and alike + right >= 3)
    if found:
        assert (found.alike, found.told) == (alike, alike + right)
