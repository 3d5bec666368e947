from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.evidence.overlaps import Span, overlaps


def collide(one: Span, other: Span) -> bool:
    """The same, instant by instant in words: each starts before the other ends."""
    return (one.end is None or other.start < one.end) and (
        other.end is None or one.start < other.end
    )


@st.composite
def registers(draw: st.DrawFn) -> list[Span]:
    """Spans of the database that do not overlap, and any of the file with starts of their own."""
    starts = draw(st.lists(st.integers(0, 40), unique=True, max_size=10))
    spans: list[Span] = []
    for number, start in enumerate(starts):
        length = draw(st.none() | st.integers(1, 12))
        end = None if length is None else start + length
        span = Span(start, end, number + 2 if draw(st.booleans()) else None)
        if span.row or not any(collide(span, old) for old in spans if old.row is None):
            spans.append(span)
    return draw(st.permutations(spans))


@given(registers())
def test_agrees_with_every_pair(spans: list[Span]) -> None:
    found = list(overlaps(spans))
    colliding = [pair for pair in combinations(spans, 2) if collide(*pair)]
    assert bool(found) == bool(colliding)
    assert all(collide(*pair) and pair[0].row is not None for pair in found)
    assert len({blamed for blamed, _ in found}) == len(found)


@given(registers())
@example([Span(0, 3, 3), Span(1, None, 4), Span(2, None, None)])
def test_what_is_left_without_the_blamed_does_not_overlap(spans: list[Span]) -> None:
    blamed = {pair[0] for pair in overlaps(spans)}
    rest = [span for span in spans if span not in blamed]
    assert not any(collide(*pair) for pair in combinations(rest, 2))


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 10, 2), (10, 20, 3)], []),
        ([(0, 10, 2), (9, 20, 3)], [3]),
        ([(0, None, 2), (9, 20, 3)], [3]),
        ([(0, 10, None), (9, 20, 3)], [3]),
        ([(0, 10, 2), (9, 20, None)], [2]),
        ([(0, 100, 2), (10, 20, 3), (30, 40, 4)], [3, 4]),
        ([(0, None, None), (5, None, None)], []),
    ],
)
def test_names_the_row_of_the_file(
    spans: list[tuple[int, int | None, int | None]], expected: list[int]
) -> None:
    assert [blamed.row for blamed, _ in overlaps(Span(*span) for span in spans)] == expected
