"""The last sweeps as the rules look at them: sums by place, read once and kept."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.operations.alerts import queries
from app.operations.alerts.queries import Place
from app.operations.alerts.tables import FLEET_CODE, Scope
from kpi.rates import Amounts

FLEET = Place(Scope.FLEET, FLEET_CODE, "")
MOST_SWEEPS = 240


@dataclass(frozen=True, slots=True)
class SweepView:
    """One sweep: cameras by class of every place; `clocks_wrong` of the assessed are wrong.

    `doubtful`: other devices than cameras that do not answer, or of which nothing is known.
    """

    tick: int
    interval_s: int
    finished_at: int
    clocks_wrong: int
    doubtful: int
    cameras: Mapping[Place, Amounts]
    places: Mapping[Scope, Mapping[str, Place]]
    """Of every scope the places by their codes."""

    @property
    def fleet(self) -> Amounts:
        return self.cameras.get(FLEET, Amounts())


class SweepWindow:
    """The newest sweeps, the newest first. A sweep is read once; nothing is written."""

    def __init__(self) -> None:
        self._sweeps: deque[SweepView] = deque(maxlen=MOST_SWEEPS)
        self._places: dict[int, tuple[Place, ...]] = {}

    def __iter__(self) -> Iterator[SweepView]:
        return iter(self._sweeps)

    @property
    def newest(self) -> SweepView | None:
        return self._sweeps[0] if self._sweeps else None

    def refresh(self, session: Session, count: int) -> bool:
        """Read the sweeps that are new, at most so many; whether there were any.

        Where one has become known late, or more are wanted than before, all are read.
        """
        ticks = queries.newest_ticks(session, min(count, MOST_SWEEPS))
        known = [sweep.tick for sweep in self._sweeps][: len(ticks)]
        if ticks == known:
            return False
        new = [tick for tick in ticks if not known or tick > known[0]]
        if [*new, *known][: len(ticks)] != ticks:
            self._sweeps.clear()
            new = ticks
        for sweep in queries.read_sweeps(session, new):
            counts = queries.read_counts(session, sweep.tick)
            cameras = self._by_place(session, counts)
            others = [each for cohort, each in counts if not self._places_of(session, cohort)]
            self._sweeps.appendleft(
                SweepView(
                    sweep.tick,
                    sweep.interval_s,
                    sweep.finished_at,
                    sweep.by_status.get("CLOCK_WRONG", 0),
                    sum(each.offline + each.unknown for each in others),
                    cameras,
                    _by_scope(cameras),
                )
            )
        return True

    def _by_place(
        self, session: Session, counts: Iterable[tuple[int, Amounts]]
    ) -> dict[Place, Amounts]:
        """The counts of the cohorts added up: for the fleet, each station, project and so on."""
        parts: dict[Place, list[Amounts]] = defaultdict(list)
        for cohort_id, amounts in counts:
            for place in self._places_of(session, cohort_id):
                parts[place].append(amounts)
        return {place: _total(each) for place, each in parts.items()}

    def _places_of(self, session: Session, cohort_id: int) -> tuple[Place, ...]:
        """Where the cameras of a cohort count; no others are counted."""
        if cohort_id not in self._places:
            self._places = queries.places_of_cohorts(session, FLEET)
        return self._places.get(cohort_id, ())


def _by_scope(places: Iterable[Place]) -> dict[Scope, dict[str, Place]]:
    found: dict[Scope, dict[str, Place]] = defaultdict(dict)
    for place in places:
        found[place.scope][place.code] = place
    return dict(found)


def _total(parts: list[Amounts]) -> Amounts:
    return parts[0] if len(parts) == 1 else Amounts.total(parts)
