"""Our own outages, and what they leave of a sweep. Pure: times come in, no clock, no I/O.

Two things are told apart. *Paused*: this process did not run (stopped, starved, suspended); what
failed over a pause was not measured, and may be asked again at once. *Cut off*: none of the canary
addresses answered; whatever was asked meanwhile was not measured, answers included: kept alone,
they would make a rate of the good ones. Source: DESIGN §3.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from collectors.probe import Observation
from kpi.status import Status

PAUSED = Observation(Status.UNKNOWN, detail="not measured: the collector was paused meanwhile")
CUT_OFF = Observation(Status.UNKNOWN, detail="not measured: no canary address answered")


class Span(NamedTuple):
    """A stretch of time, in seconds of one clock, both ends included."""

    start: float
    end: float

    def meets(self, other: "Span") -> bool:
        """Whether the two have an instant in common."""
        return self.start <= other.end and other.start <= self.end


class Round(NamedTuple):
    """The canaries were asked once, from `start` to `end`; whether one of them answered."""

    start: float
    end: float
    answered: bool


class LapseKind(StrEnum):
    """What kept a sweep from measuring."""

    PAUSED = "paused"
    CUT_OFF = "cut_off"


class Lapse(NamedTuple):
    """A stretch of a sweep in which nothing was measured, in seconds after the sweep's start.

    `end` None: it had not ended when the sweep did.
    """

    kind: LapseKind
    start: float
    end: float | None


def silent_spans(rounds: Sequence[Round]) -> list[Span]:
    """When we may have been cut off: from the last answer before a failed round to the next one.

    `rounds` in order; where no answer comes before or after, the span is open to that side.
    """
    spans: list[Span] = []
    last_answer = -math.inf
    silent = False
    for each in rounds:
        if each.answered:
            if silent:
                spans.append(Span(last_answer, each.end))
            last_answer, silent = each.end, False
        else:
            silent = True
    return [*spans, Span(last_answer, math.inf)] if silent else spans


def lapses(began: float, pauses: Iterable[Span], silent: Iterable[Span]) -> tuple[Lapse, ...]:
    """What a sweep that began at `began` tells of our outages."""
    found = [(LapseKind.PAUSED, span) for span in pauses]
    found += [(LapseKind.CUT_OFF, span) for span in silent]
    return tuple(
        Lapse(
            kind,
            max(span.start - began, 0.0),
            None if span.end == math.inf else span.end - began,
        )
        for kind, span in found
    )


def over_pause(seen: Observation) -> Observation | None:
    """What is left of an answer that came over a pause; None where it is to be asked again.

    A device that answered did answer, but how fast, and what its clock said, was not measured.
    A refused password is not shown twice; a lack of ours stays what it is.
    """
    if seen.status is Status.INTACT:
        return replace(seen, latency_ms=None, clock_offset_s=None)
    return seen if seen.status in (Status.AUTH_FAILED, Status.UNKNOWN) else None


def without_cut_off(
    observations: Mapping[int, Observation], asked: Mapping[int, Span], silent: Iterable[Span]
) -> dict[int, Observation]:
    """The observations, CUT_OFF in place of those that were made while we may have been cut off."""
    spans = list(silent)
    if not spans:
        return dict(observations)
    return {
        key: CUT_OFF if key in asked and any(map(asked[key].meets, spans)) else seen
        for key, seen in observations.items()
    }
