"""What the register and the covers say of the cameras around faults, read once a day."""

from collections.abc import Mapping, Sequence, Set
from datetime import date
from itertools import chain

from sqlalchemy.orm import Session

from app.config import Settings
from app.evidence.covers import covers_of
from app.evidence.store import slot_length
from app.operations.faults import incident_queries as queries
from kpi.calendar import local_day
from kpi.incidents import Place


class District:
    """The `kpi.incidents.Surroundings` of a database."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._lengths: dict[date, int] = {}
        self._places: dict[date, dict[int, tuple[Place, ...]]] = {}
        self._cameras: dict[tuple[Place, date], set[int]] = {}
        self._failing: dict[tuple[int, int], set[int]] = {}

    def interval_at(self, tick: int) -> int:
        day = self._day(tick)
        if day not in self._lengths:
            usual = self._settings.poll_interval
            self._lengths[day] = slot_length(self._session, day, usual)
        return self._lengths[day]

    def places_of(self, devices: Set[int], tick: int) -> Mapping[int, Sequence[Place]]:
        known = self._places.setdefault(self._day(tick), {})
        unknown = sorted(devices - known.keys())
        if unknown:
            known.update(dict.fromkeys(unknown, ()))
            known.update(queries.places_on(self._session, self._day(tick), unknown))
        return {device: known[device] for device in devices}

    def able(self, place: Place, tick: int, known_at: int) -> int:
        key = place, self._day(tick)
        if key not in self._cameras:
            self._cameras[key] = queries.cameras_of(self._session, place, key[1])
        left = sorted(self._cameras[key] - self._failing_before(tick, known_at))
        covers = covers_of(self._session, self._settings.zone, left, tick, tick + 1)
        return len(left) - len({cover.row for cover in chain(*covers)})

    def name_of(self, place: Place) -> str:
        return queries.name_of(self._session, place)

    def _failing_before(self, tick: int, known_at: int) -> set[int]:
        key = tick, known_at
        if key not in self._failing:
            self._failing = {key: queries.failing_before(self._session, tick, known_at)}
        return self._failing[key]

    def _day(self, tick: int) -> date:
        return local_day(tick, self._settings.zone)
