"""The error budget: a target of 98 % leaves 2 % of the assessed time to be missed in a month.

    budget   (1 - target) × the assessed seconds that the month has by its end: those so far, and
             the devices that are to be assessed now for the rest of it
    spent    impaired and offline seconds so far
    left     budget - spent; below zero the month misses its target whatever comes
    burn     share that was missed in a window ÷ (1 - target): at 1 the month just keeps its
             target, at 3 it spends three times what it may

Integers and fractions throughout; `now` is passed in. Instants are UTC seconds. Source: DESIGN §4;
burn rates as in "Alerting on SLOs" of Google's SRE workbook.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from kpi.rates import Amounts

WINDOWS: Mapping[str, int] = {"1h": 3_600, "6h": 6 * 3_600, "24h": 24 * 3_600, "7d": 7 * 86_400}
"""Name → seconds that a burn rate looks back."""
PRESENT_RATE = ("24h", "7d")
"""What a month goes on with: the first of these windows that has evidence enough."""
LEAST_EVIDENCE_S = 6 * 3_600
"""Of every device that is to be assessed, on average: less says nothing of a month."""


class Outlook(StrEnum):
    """What becomes of the month's target at the present rate."""

    KEEPS = "keeps"
    WILL_MISS = "will_miss"
    MISSED = "missed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Course:
    """How a month has gone so far, in seconds; and how it goes now.

    `so_far`: seconds by class up to `now`. `present`: devices that are to be assessed now.
    `windows`: name → what the sweeps of the window counted, in device-seconds.
    """

    so_far: Amounts
    present: int
    windows: Mapping[str, Amounts]
    now: int
    end: int

    @classmethod
    def total(cls, parts: Iterable["Course"], now: int, end: int) -> "Course":
        """Several groups as one."""
        courses = list(parts)
        windows = {
            name: Amounts.total(each.windows.get(name, Amounts()) for each in courses)
            for name in WINDOWS
        }
        so_far = Amounts.total(each.so_far for each in courses)
        return cls(so_far, sum(each.present for each in courses), windows, now, end)

    @property
    def remaining_s(self) -> int:
        return max(0, self.end - self.now)


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of a month in whole device-seconds; `burn`: window → rate, None without evidence.

    `breaks_at`: when it is spent at the present rate, within the month; None: not in it.
    """

    assessed: int
    expected: int
    budget: int
    spent: int
    burn: Mapping[str, Fraction | None]
    outlook: Outlook
    breaks_at: int | None

    @property
    def left(self) -> int:
        return self.budget - self.spent


def budget(course: Course, target: Fraction) -> Budget:
    """The budget of a month on its course towards this target (below 1)."""
    spare = 1 - target
    assessed, spent = course.so_far.assessed, missed(course.so_far)
    expected = assessed + course.present * course.remaining_s
    allowed = int(spare * expected)
    burn = {name: burn_rate(seconds, target) for name, seconds in course.windows.items()}
    outlook, breaks_at = _outlook(course, allowed - spent)
    return Budget(assessed, expected, allowed, spent, burn, outlook, breaks_at)


def missed(amounts: Amounts) -> int:
    """What was assessed and not intact."""
    return amounts.impaired + amounts.offline


def burn_rate(window: Amounts, target: Fraction) -> Fraction | None:
    """How many times as fast as it may the window spent the budget; None without evidence."""
    if not window.assessed:
        return None
    return Fraction(missed(window), window.assessed) / (1 - target)


def _outlook(course: Course, left: int) -> tuple[Outlook, int | None]:
    if left < 0:
        return Outlook.MISSED, None
    if not course.remaining_s:
        return (Outlook.KEEPS if course.so_far.assessed else Outlook.UNKNOWN), None
    window = _present_rate(course)
    if window is None:
        return Outlook.UNKNOWN, None
    lost_each_s = course.present * Fraction(missed(window), window.assessed)
    if lost_each_s * course.remaining_s <= left:
        return Outlook.KEEPS, None
    return Outlook.WILL_MISS, course.now + int(left / lost_each_s)


def _present_rate(course: Course) -> Amounts | None:
    """What the sweeps counted in the window that the month is taken to go on with."""
    enough = course.present * LEAST_EVIDENCE_S
    windows = (course.windows.get(name, Amounts()) for name in PRESENT_RATE)
    return next((each for each in windows if each.assessed >= max(1, enough)), None)
