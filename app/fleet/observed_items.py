"""REST: what devices say of themselves, as items of the register's answers."""

from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from app.fleet.drift import Difference
from app.fleet.observed_queries import Compared
from app.fleet.tables import Observed
from kpi.status import Status


class DriftItem(BaseModel):
    """One thing that the device says otherwise than the register."""

    field: Compared
    registered: str | None
    observed: str
    inspected_at: datetime

    @classmethod
    def of(cls, difference: Difference, zone: ZoneInfo) -> Self:
        return cls(
            field=difference.field,
            registered=difference.registered,
            observed=difference.observed,
            inspected_at=datetime.fromtimestamp(difference.inspected_at, zone),
        )


class ObservedItem(BaseModel):
    """What the deep inspections found; null what the device did not tell.

    `asked_at`, `outcome` and `detail` are of the last inspection, all that follows of the last one
    that learnt anything, at `inspected_at`.
    """

    asked_at: datetime
    outcome: str
    detail: str
    inspected_at: datetime | None
    vendor: str | None
    model: str | None
    serial: str | None
    firmware: str | None
    hardware_id: str | None
    mac: str | None
    resolution: str | None
    stream_uri: str | None
    snapshot_uri: str | None
    profiles: list[dict[str, Any]]
    services: list[dict[str, Any]]
    capabilities: dict[str, Any]

    @classmethod
    def of(cls, observed: Observed, zone: ZoneInfo) -> Self:
        values = {name: getattr(observed, name) for name in cls.model_fields}
        for name in ("asked_at", "inspected_at"):
            if values[name] is not None:
                values[name] = datetime.fromtimestamp(values[name], zone)
        return cls(**{**values, "outcome": Status(observed.outcome).name})
