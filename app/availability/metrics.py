"""The present figures for Prometheus, read from the last sweep at each scrape."""

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.availability.budgets import month_budget
from app.availability.documents import NowDocument
from app.availability.instant import present
from app.availability.selection import Filters, select_devices
from app.config import Settings
from app.database import Database
from app.evidence.queries import AMOUNTS, last_sweep
from app.evidence.tables import Sweep
from app.fleet.roster import Grouping
from kpi.budget import Budget
from kpi.calendar import Month, local_day

RATES = ("intact_rate", "online_rate", "suspended_rate", "coverage")


class _Figures(Collector):
    """Gauges of the fleet and of each room at the last sweep; what is not known has no sample."""

    def __init__(
        self, fleet: NowDocument, rooms: NowDocument, sweep: Sweep | None, spare: Budget
    ) -> None:
        self.fleet = fleet
        self.rooms = rooms
        self.sweep = sweep
        self.spare = spare

    def collect(self) -> Iterator[GaugeMetricFamily]:
        devices = GaugeMetricFamily(
            "intact_devices", "Cameras by class at the last sweep", labels=["room", "class"]
        )
        for row in self.rooms.rows:
            for name in AMOUNTS:
                devices.add_metric([row.group or "", name], getattr(row.amounts, name))
        yield devices
        for name in RATES:
            by_room = GaugeMetricFamily(
                f"intact_room_{name}", f"{name} of a room's cameras now", labels=["room"]
            )
            for row in self.rooms.rows:
                rate = getattr(row, name)
                if rate is not None:
                    by_room.add_metric([row.group or ""], rate)
            yield by_room
            rate = getattr(self.fleet.total, name)
            family = GaugeMetricFamily(f"intact_fleet_{name}", f"{name} of all cameras now")
            if rate is not None:
                family.add_metric([], rate)
            yield family
        yield from self._of_the_sweep()
        yield from self._of_the_budget()

    def _of_the_sweep(self) -> Iterator[GaugeMetricFamily]:
        if self.sweep is None:
            return
        unknown = self.sweep.by_status.get("UNKNOWN", 0)
        for name, help_text, value in (
            ("tick_seconds", "Start of the last finished sweep's slot, UTC", self.sweep.tick),
            ("duration_seconds", "How long the last sweep took", self.sweep.wall_s),
            ("cpu_seconds", "CPU time of the last sweep", self.sweep.cpu_s),
            ("devices", "Devices asked by the last sweep", self.sweep.devices),
            ("samples_stored", "Samples stored by the last sweep", self.sweep.stored),
            ("unknown", "Devices that the last sweep could not measure", unknown),
        ):
            yield GaugeMetricFamily(f"intact_sweep_{name}", help_text, value=value)

    def _of_the_budget(self) -> Iterator[GaugeMetricFamily]:
        for name, help_text, seconds in (
            ("seconds", "Camera-seconds that the month may miss", self.spare.budget),
            ("spent_seconds", "Camera-seconds that it has missed so far", self.spare.spent),
            ("left_seconds", "Camera-seconds that it may still miss", self.spare.left),
        ):
            yield GaugeMetricFamily(f"intact_budget_{name}", help_text, value=seconds)
        burn = GaugeMetricFamily(
            "intact_budget_burn_rate",
            "How many times as fast as it may the budget is spent",
            labels=["window"],
        )
        for window, rate in self.spare.burn.items():
            if rate is not None:
                burn.add_metric([window], float(rate))
        yield burn


def exposition(database: Database, settings: Settings, now: int) -> tuple[bytes, str]:
    """Body and media type of `/metrics`."""
    rooms = present(database, settings, Grouping.ROOM, Filters(), now)
    fleet = present(database, settings, Grouping.FLEET, Filters(), now)
    with database.read() as session:
        sweep = last_sweep(session)
        cameras = select_devices(session, Grouping.FLEET, Filters()).cohorts.keys()
        month = Month.of(local_day(now, settings.zone))
        spare = month_budget(session, settings, cameras, month, now)
    registry = CollectorRegistry()
    registry.register(_Figures(fleet, rooms, sweep, spare))
    return generate_latest(registry), CONTENT_TYPE_LATEST
