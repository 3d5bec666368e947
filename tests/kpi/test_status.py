"""Which of two results of one device is the worse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.status import DEFAULT_CLASSES, SlotClass, Status, worse

ANY = st.sampled_from(list(Status))


@pytest.mark.parametrize(
    ("minute", "deep", "combined"),
    [
        ("INTACT", "INTACT", "INTACT"),
        ("INTACT", "NO_VIDEO", "NO_VIDEO"),
        ("INTACT", "AUTH_FAILED", "AUTH_FAILED"),
        ("INTACT", "UNKNOWN", "INTACT"),
        ("CLOCK_WRONG", "INTACT", "CLOCK_WRONG"),
        ("CLOCK_WRONG", "NO_VIDEO", "NO_VIDEO"),
        ("SERVICE_FAULT", "NO_VIDEO", "SERVICE_FAULT"),
        ("AUTH_FAILED", "INTACT", "AUTH_FAILED"),
        ("TIMEOUT", "NO_VIDEO", "TIMEOUT"),
        ("REFUSED", "INTACT", "REFUSED"),
        ("UNKNOWN", "NO_VIDEO", "UNKNOWN"),
        ("UNKNOWN", "INTACT", "UNKNOWN"),
    ],
)
def test_the_worse_one(minute: str, deep: str, combined: str) -> None:
    assert worse(Status[minute], Status[deep]) is Status[combined]


def test_the_policy_says_what_is_worse() -> None:
    lenient = {**DEFAULT_CLASSES, Status.NO_VIDEO: SlotClass.INTACT}
    assert worse(Status.INTACT, Status.NO_VIDEO, lenient) is Status.INTACT


@given(ANY, ANY)
def test_nothing_gets_better(minute: Status, deep: Status) -> None:
    combined = worse(minute, deep)
    assert combined in (minute, deep)
    assert DEFAULT_CLASSES[combined] >= DEFAULT_CLASSES[minute]
    assert worse(combined, deep) is combined
