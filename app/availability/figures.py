"""Rates as the screen shows them: in print, against their targets, over days.

A figure is made of sums (`kpi.rates.Amounts`), whether of devices at one instant or of seconds over
a period; what it is called and where its target lies stands here once for all pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from app.web.language import message
from kpi.policy import DEFAULT_POLICY
from kpi.rates import Amounts, Direction, Rates, hundredths, in_print, rates


class Verdict(StrEnum):
    """How a figure stands to its target; the words are texts of the catalogue."""

    MET = message("met")
    MISSED = message("missed")
    INSUFFICIENT = message("evidence insufficient")
    NOTHING = message("no evidence")


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate: hundredths of a per cent as they are printed, the exact fraction, the verdict."""

    hundredths: int | None
    fraction: float | None
    verdict: Verdict | None

    @property
    def text(self) -> str:
        """In print: "97.41 %", or "–"."""
        return in_print(self.hundredths)


NO_FIGURE = Figure(None, None, None)


@dataclass(frozen=True, slots=True)
class Scale:
    """The stretch of a rate that is drawn; `target` None: the rate has none."""

    low: Fraction
    high: Fraction
    target: Fraction | None
    direction: Direction

    def place(self, fraction: float | Fraction) -> float:
        """Where a fraction lies on the scale, in per cent of its length."""
        share = (float(fraction) - float(self.low)) / float(self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)


SCALES: Mapping[str, Scale] = {
    "intact": Scale(Fraction(90, 100), Fraction(1), DEFAULT_POLICY.intact_target, "at_least"),
    "online": Scale(Fraction(90, 100), Fraction(1), None, "at_least"),
    "suspended": Scale(Fraction(0), Fraction(6, 100), DEFAULT_POLICY.suspended_target, "at_most"),
}
LABELS: Mapping[str, str] = {
    "intact": message("Intact rate"),
    "online": message("Online rate"),
    "suspended": message("Suspended rate"),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """One of the three rates: now, and from the first of the month."""

    key: str
    label: str
    scale: Scale
    now: Figure
    month: Figure


def three_rates(now: Amounts, so_far: Amounts | None) -> list[Rate]:
    """Intact, online, suspended rate; `so_far` None: the month's figures cannot be had."""
    return [
        Rate(
            key,
            LABELS[key],
            scale,
            figure(key, now),
            NO_FIGURE if so_far is None else figure(key, so_far),
        )
        for key, scale in SCALES.items()
    ]


def figure(key: str, amounts: Amounts) -> Figure:
    """The rate `key` of these sums, against its target where it has one."""
    scale = SCALES[key]
    part, whole = _share(key, amounts)
    verdict = None if scale.target is None else _verdict(key, whole, amounts)
    printed = hundredths(part, whole, scale.target, scale.direction)
    return Figure(printed, part / whole if whole else None, verdict)


def coverage(amounts: Amounts) -> Figure:
    """For how much of what is to be assessed there is evidence."""
    part, whole = amounts.assessed, amounts.to_be_assessed
    least = DEFAULT_POLICY.min_coverage
    met = part >= least * whole if whole else None
    verdict = Verdict.NOTHING if met is None else Verdict.MET if met else Verdict.INSUFFICIENT
    return Figure(hundredths(part, whole, least), part / whole if whole else None, verdict)


def _share(key: str, amounts: Amounts) -> tuple[int, int]:
    if key == "suspended":
        return amounts.suspended, amounts.in_service
    return (amounts.intact if key == "intact" else amounts.answered), amounts.assessed


def _verdict(key: str, whole: int, amounts: Amounts) -> Verdict:
    met = _met(key, rates(amounts, DEFAULT_POLICY))
    if not whole or (met is None and not amounts.assessed):
        return Verdict.NOTHING
    if met is None:
        return Verdict.INSUFFICIENT
    return Verdict.MET if met else Verdict.MISSED


def _met(key: str, made: Rates) -> bool | None:
    return made.intact_target_met if key == "intact" else made.suspended_target_met


# Over days


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a trend."""

    key: str
    label: str
    scale: Scale


@dataclass(frozen=True, slots=True)
class Trend:
    """Rates day by day, a value for each series; days without evidence have empty figures."""

    series: Sequence[Series]
    days: Sequence[tuple[date, Sequence[Figure]]]


def trend(days: Mapping[date, Amounts], keys: Sequence[str]) -> Trend:
    """The days in order, with the rates `keys`."""
    series = [Series(key, LABELS[key], SCALES[key]) for key in keys]
    values = {day: [figure(key, sums) for key in keys] for day, sums in sorted(days.items())}
    return Trend(series, list(values.items()))
