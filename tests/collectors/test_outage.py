"""What our own outages leave of a sweep: pure judgement."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.outage import (
    CUT_OFF,
    Lapse,
    LapseKind,
    Round,
    Span,
    lapses,
    over_pause,
    silent_spans,
    without_cut_off,
)
from collectors.probe import Observation
from kpi.status import Status

WELL, SILENT = True, False


@pytest.mark.parametrize(
    ("answers", "silent"),
    [
        ([], []),
        ([WELL, WELL], []),
        ([SILENT], [(-math.inf, math.inf)]),
        ([SILENT, SILENT], [(-math.inf, math.inf)]),
        ([SILENT, WELL], [(-math.inf, 11)]),
        ([WELL, SILENT], [(1, math.inf)]),
        ([WELL, SILENT, SILENT, WELL], [(1, 31)]),
        ([WELL, SILENT, WELL, SILENT, WELL], [(1, 21), (21, 41)]),
    ],
)
def test_when_we_may_have_been_cut_off(
    answers: list[bool], silent: list[tuple[float, float]]
) -> None:
    rounds = [Round(10 * number, 10 * number + 1, each) for number, each in enumerate(answers)]
    assert silent_spans(rounds) == silent


@given(st.lists(st.booleans(), max_size=20), st.floats(-1, 25, allow_nan=False))
def test_a_naive_look_agrees(answers: list[bool], instant: float) -> None:
    """An instant is doubtful where the rounds that end before and after it are not both well."""
    rounds = [Round(number, number + 0.5, each) for number, each in enumerate(answers)]
    before = [each for each in rounds if each.end < instant]
    after = [each for each in rounds if each.end > instant]
    doubtful = bool((before and not before[-1].answered) or (after and not after[0].answered))
    if all(each.end != instant for each in rounds):
        spans = silent_spans(rounds)
        assert any(span.start <= instant <= span.end for span in spans) == doubtful


def test_what_was_asked_while_cut_off_is_not_measured() -> None:
    intact, timeout = Observation(Status.INTACT, 1.0), Observation(Status.TIMEOUT)
    seen = {1: intact, 2: timeout, 3: intact, 4: timeout, 5: intact}
    asked = {1: Span(0, 1), 2: Span(0, 9), 3: Span(11, 12), 4: Span(21, 22)}
    judged = without_cut_off(seen, asked, [Span(5, 20)])
    assert judged == {1: intact, 2: CUT_OFF, 3: CUT_OFF, 4: timeout, 5: intact}
    assert without_cut_off(seen, asked, []) == seen


@pytest.mark.parametrize(
    ("status", "left"),
    [
        (Status.INTACT, Observation(Status.INTACT)),
        (Status.AUTH_FAILED, Observation(Status.AUTH_FAILED, 4000.0, 5.0)),
        (Status.UNKNOWN, Observation(Status.UNKNOWN, 4000.0, 5.0)),
        (Status.CLOCK_WRONG, None),
        (Status.SERVICE_FAULT, None),
        (Status.TIMEOUT, None),
        (Status.REFUSED, None),
        (Status.UNREACHABLE, None),
    ],
)
def test_what_a_pause_leaves_of_an_answer(status: Status, left: Observation | None) -> None:
    assert over_pause(Observation(status, 4000.0, 5.0)) == left


def test_lapses_are_told_from_the_start_of_their_sweep() -> None:
    found = lapses(100, [Span(110, 115)], [Span(-math.inf, 103), Span(150, math.inf)])
    assert found == (
        Lapse(LapseKind.PAUSED, 10, 15),
        Lapse(LapseKind.CUT_OFF, 0, 3),
        Lapse(LapseKind.CUT_OFF, 50, None),
    )
