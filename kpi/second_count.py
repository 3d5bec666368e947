"""Why somebody else's rate of a camera differs from ours: what they may count that we leave out.

We leave suspended, unknown and exempted time out of the rate. Whoever counts some of it gets a
rate that lies between "all of it failed" and "all of it was intact":

    intact / (assessed + counted)  ≤  theirs  ≤  (intact + counted) / (assessed + counted)

The likely reason is the smallest choice of these that their rate fits. A reason is a conjecture:
it says what would explain the difference, not what they did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import combinations

from kpi.rates import Amounts

CLOSE = Fraction(1, 10_000)
"""Rates that differ by no more (a hundredth of a percentage point) agree: both were rounded."""


class Reason(StrEnum):
    """Why two figures of a camera are what they are."""

    AGREES = "agrees"
    SUSPENDED = "suspended_counted"
    UNKNOWN = "unknown_counted"
    EXEMPTED = "exempted_counted"
    OUTAGES = "outages_differ"
    NOT_LISTED = "not_listed"
    NOT_IN_SERVICE = "not_in_service"
    PART_OF_MONTH = "part_of_month"


LEFT_OUT = {
    Reason.SUSPENDED: "suspended",
    Reason.UNKNOWN: "unknown",
    Reason.EXEMPTED: "exempted",
}
"""Reason → the part of our amounts that they count."""
Counted = tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Theirs:
    """Somebody else's figure: a rate, and the seconds behind it where these are known."""

    rate: Fraction
    assessed_s: int | None = None
    intact_s: int | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """`difference`: ours less theirs, in hundredths of a percentage point, None without a rate of
    ours. `missing_s`: what they have as missing, reckoned from their rate where they do not say."""

    reasons: Counted
    difference: int | None
    missing_s: int


def compare(ours: Amounts, theirs: Theirs) -> Compared:
    """Our month of a camera beside somebody else's figure of it."""
    own = Fraction(ours.intact, ours.assessed) if ours.assessed else None
    counted = _counted(ours, theirs) if own is None or abs(own - theirs.rate) > CLOSE else ()
    return Compared(
        _reasons(ours, own, theirs.rate, counted),
        None if own is None else rounded((own - theirs.rate) * 10_000),
        _missing_s(ours, theirs, counted),
    )


def rounded(number: Fraction) -> int:
    """To the nearest whole number, a half away from zero."""
    size = (2 * abs(number.numerator) + number.denominator) // (2 * number.denominator)
    return size if number > 0 else -size


def _counted(ours: Amounts, theirs: Theirs) -> Counted:
    """What they count of what we leave out, as far as their figure tells; () where it does not."""
    choices = _choices(ours)
    assessed_s = theirs.assessed_s
    if assessed_s is not None:
        return min(choices, key=lambda each: abs(_base(ours, each) - assessed_s))
    as_missing = (each for each in choices if each and _is_all_missing(ours, each, theirs.rate))
    fitting = (each for each in choices if each and _fits(ours, each, theirs.rate))
    return next(as_missing, None) or next(fitting, ())


def _choices(ours: Amounts) -> Sequence[Counted]:
    """What there is to be counted, nothing first, the fewest parts before more."""
    there = [each for each in LEFT_OUT if _seconds(ours, each)]
    return [each for size in range(len(there) + 1) for each in combinations(there, size)]


def _base(ours: Amounts, counted: Counted) -> int:
    """What they assess, in seconds."""
    return ours.assessed + sum(_seconds(ours, each) for each in counted)


def _seconds(ours: Amounts, reason: Reason) -> int:
    seconds: int = getattr(ours, LEFT_OUT[reason])
    return seconds


def _is_all_missing(ours: Amounts, counted: Counted, rate: Fraction) -> bool:
    return abs(Fraction(ours.intact, _base(ours, counted)) - rate) <= CLOSE


def _fits(ours: Amounts, counted: Counted, rate: Fraction) -> bool:
    base = _base(ours, counted)
    if not base:
        return False
    extra = base - ours.assessed
    least, most = Fraction(ours.intact, base), Fraction(ours.intact + extra, base)
    return least - CLOSE <= rate <= most + CLOSE


def _reasons(ours: Amounts, own: Fraction | None, rate: Fraction, counted: Counted) -> Counted:
    if not ours.in_service:
        return (Reason.NOT_IN_SERVICE,)
    if own is not None and abs(own - rate) <= CLOSE:
        return (Reason.AGREES,)
    return counted if counted and _fits(ours, counted, rate) else (*counted, Reason.OUTAGES)


def _missing_s(ours: Amounts, theirs: Theirs, counted: Counted) -> int:
    if theirs.assessed_s is not None and theirs.intact_s is not None:
        return theirs.assessed_s - theirs.intact_s
    return rounded((1 - theirs.rate) * _base(ours, counted))
