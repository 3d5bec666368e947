"""The rates: sums of seconds (or of devices, for one instant) in, fractions out.

Rates come from sums, never from averages of rates. An empty denominator gives None, never 0 or 1.
Targets are compared in integers. Source: DESIGN §4.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from kpi.policy import Policy

Direction = Literal["at_least", "at_most"]
"""On which side of a target the figure has to be."""

Basis = Literal["reachability", "video"]
"""What stands behind a figure: the minute's answers alone, or video checks too."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much fell into each class: whole seconds over a period, or devices at one instant.

    `intact_by_video` is the part of `intact` during which a good video check was valid; it is in
    none of the sums.
    """

    intact: int = 0
    impaired: int = 0
    offline: int = 0
    unknown: int = 0
    suspended: int = 0
    exempted: int = 0
    intact_by_video: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(
            self.intact + other.intact,
            self.impaired + other.impaired,
            self.offline + other.offline,
            self.unknown + other.unknown,
            self.suspended + other.suspended,
            self.exempted + other.exempted,
            self.intact_by_video + other.intact_by_video,
        )

    @classmethod
    def total(cls, parts: Iterable["Amounts"]) -> "Amounts":
        return sum(parts, start=cls())

    @property
    def assessed(self) -> int:
        return self.intact + self.impaired + self.offline

    @property
    def answered(self) -> int:
        return self.intact + self.impaired

    @property
    def to_be_assessed(self) -> int:
        """What there should be evidence for."""
        return self.assessed + self.unknown

    @property
    def in_service(self) -> int:
        return self.to_be_assessed + self.suspended + self.exempted


@dataclass(frozen=True, slots=True)
class Rates:
    """The figures of one row; each rate is a fraction of 1 or None, each verdict may be None."""

    intact_rate: float | None
    online_rate: float | None
    suspended_rate: float | None
    coverage: float | None
    basis: Basis
    intact_target_met: bool | None
    suspended_target_met: bool | None


READINGS = ("default", "strict", "whole_fleet")


def readings(amounts: Amounts) -> dict[str, float | None]:
    """The intact rate as it may be read: unknown time left out, counted against, suspended time
    counted against. Source: DESIGN §4.
    """
    wholes = (
        amounts.assessed,
        amounts.to_be_assessed,
        amounts.assessed + amounts.suspended,
    )
    return {
        name: ratio(amounts.intact, whole) for name, whole in zip(READINGS, wholes, strict=True)
    }


def ratio(part: int, whole: int) -> float | None:
    """`part / whole`, or None where there is nothing to divide by."""
    return part / whole if whole else None


def reaches(part: int, whole: int, target: Fraction, direction: Direction) -> bool | None:
    """Whether `part / whole` keeps the target, compared in integers; None without a whole."""
    if not whole:
        return None
    is_side, ought_side = part * target.denominator, target.numerator * whole
    return is_side >= ought_side if direction == "at_least" else is_side <= ought_side


def basis(amounts: Amounts, policy: Policy) -> Basis:
    """`video` where good video checks cover the intact amount as far as evidence has to.

    That is the policy's least coverage. Source: DESIGN §4.
    """
    checked = reaches(amounts.intact_by_video, amounts.intact, policy.min_coverage, "at_least")
    return "video" if checked else "reachability"


def rates(amounts: Amounts, policy: Policy) -> Rates:
    """The rates and verdicts of summed amounts.

    Below the policy's least coverage the evidence is insufficient: the rates stay, the verdicts
    are None. Where nothing was to be assessed no evidence is lacking: of a group that was wholly
    suspended or exempted the register alone gives the suspended rate, and it keeps its verdict.
    """
    covered = reaches(amounts.assessed, amounts.to_be_assessed, policy.min_coverage, "at_least")
    insufficient = covered is False
    intact_met = reaches(amounts.intact, amounts.assessed, policy.intact_target, "at_least")
    suspended_met = reaches(
        amounts.suspended, amounts.in_service, policy.suspended_target, "at_most"
    )
    return Rates(
        intact_rate=ratio(amounts.intact, amounts.assessed),
        online_rate=ratio(amounts.answered, amounts.assessed),
        suspended_rate=ratio(amounts.suspended, amounts.in_service),
        coverage=ratio(amounts.assessed, amounts.to_be_assessed),
        basis=basis(amounts, policy),
        intact_target_met=None if insufficient else intact_met,
        suspended_target_met=None if insufficient else suspended_met,
    )


def hundredths(
    part: int, whole: int, target: Fraction | None = None, direction: Direction = "at_least"
) -> int | None:
    """`part / whole` in hundredths of a per cent, half up; None without a whole.

    A miss is never rounded to the target: where that would happen, the figure is rounded towards
    the failing side.
    """
    if not whole:
        return None
    rounded = (2 * part * 10_000 + whole) // (2 * whole)
    if target is not None and not reaches(part, whole, target, direction):
        if direction == "at_least" and rounded >= target * 10_000:
            rounded = part * 10_000 // whole
        elif direction == "at_most" and rounded <= target * 10_000:
            rounded = -(-part * 10_000 // whole)
    return rounded


def in_print(rounded: int | None) -> str:
    """Hundredths of a per cent with two decimals; "–" for None."""
    return "–" if rounded is None else f"{rounded // 100}.{rounded % 100:02d} %"


def percent(
    part: int, whole: int, target: Fraction | None = None, direction: Direction = "at_least"
) -> str:
    """`part / whole` in print, rounded as `hundredths` says."""
    return in_print(hundredths(part, whole, target, direction))
