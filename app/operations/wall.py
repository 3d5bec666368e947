"""What the wall shows: the overview, as much of it as is readable from five metres."""

import hashlib
import time
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.accounts.reach import Reach
from app.availability.figures import Verdict
from app.availability.instant import is_stale
from app.availability.selection import Filters
from app.config import Settings
from app.database import Database
from app.evidence.queries import last_sweep
from app.operations.alerts.messages import summary, title
from app.operations.alerts.queries import open_alerts
from app.operations.overview import Overview, overview
from app.web.language import Language
from app.web.lines import line
from app.web.shell import templates

MOST_STATIONS = 7
MOST_ROOMS = 28
MOST_CHANGES = 7
MOST_ALERTS = 3
ROWS_OF_A_NOTICE = 2
"""What an alert takes away from the changes, in their rows."""
STALE_ANEW_S = 60
"""Without sweeps the wall says once a minute how long there was none."""


@dataclass(frozen=True, slots=True)
class WallView:
    """Walls of one view show the same."""

    language: Language
    reach: Reach


@dataclass(frozen=True, slots=True)
class NewsView:
    """Pages that are only told that there is news, and ask for what they show themselves."""


View = WallView | NewsView


class Wall:
    """The source of what the walls, and other open pages, are told."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings

    def newest(self) -> Hashable:
        """The last sweep and the open alerts; while evidence is missing, the minute as well."""
        now = int(time.time())
        with self._database.read() as session:
            sweep = last_sweep(session)
            alerts = tuple(alert.id for alert in open_alerts(session))
        minute = now // STALE_ANEW_S if is_stale(sweep, now) else None
        return sweep and sweep.tick, alerts, minute

    def render(self, view: View) -> str:
        """The panels in HTML; as news, a text that differs when there is some."""
        if isinstance(view, NewsView):
            return hashlib.sha256(repr(self.newest()).encode()).hexdigest()[:16]
        template = templates(view.language).get_template("wall_live.html")
        return template.render(**self.context(view))

    def context(self, view: WallView) -> dict[str, Any]:
        """What the templates are given."""
        filters = Filters(reach=view.reach)
        page = overview(self._database, self._settings, int(time.time()), filters)
        if page is None:
            return {"page": None}
        notices = max(len(page.alerts[:MOST_ALERTS]), int(page.evidence.stale))
        room_left = MOST_CHANGES - ROWS_OF_A_NOTICE * notices
        return {
            "page": page,
            "alerts": [
                (
                    alert,
                    datetime.fromtimestamp(alert.since, self._settings.zone),
                    summary(alert, self._settings.zone, view.language),
                    title(alert, view.language),
                )
                for alert in page.alerts[:MOST_ALERTS]
            ],
            "place": _place(page, view.reach),
            "stations": page.stations[:MOST_STATIONS],
            "stations_met": _met(page),
            "rooms": page.rooms[:MOST_ROOMS],
            "more_rooms": page.more_rooms + len(page.rooms[MOST_ROOMS:]),
            "changes": page.changes[:room_left],
            "more_changes": page.more_changes + len(page.changes[room_left:]),
            "line": _line(page),
        }


def _place(page: Overview, reach: Reach) -> str | None:
    """Whose cameras these are; None: everybody's."""
    names = {station.code: station.name for station in page.stations}
    return names.get(reach.station) if reach.station in names else reach.station or reach.contractor


def _met(page: Overview) -> int:
    """How many of the stations meet the target now."""
    return sum(station.intact.verdict is Verdict.MET for station in page.stations)


def _line(page: Overview) -> Any:
    """The intact rate of the last days, with its target."""
    target = page.trend.series[0].scale.target
    values = [figures[0].fraction for _day, figures in page.trend.days]
    return line(values, None if target is None else float(target))
