"""The documents of the REST interface and of `intact kpi`; they are the same."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.evidence.queries import STORED_AMOUNTS
from app.fleet.roster import GroupName
from kpi.policy import Policy
from kpi.rates import Amounts, Basis, rates, readings


class _Row(BaseModel):
    """What every row says; rates are fractions of 1, null where nothing is behind them."""

    group: str | None = Field(description="Code; `fleet` for the fleet, null for no group")
    name: str | None
    devices: int
    intact_rate: float | None
    online_rate: float | None
    suspended_rate: float | None
    coverage: float | None
    basis: Basis = Field(description="`video` where video checks stand behind the intact share")
    intact_target_met: bool | None
    suspended_target_met: bool | None
    readings: dict[str, float | None] = Field(
        description="Intact rate by reading: `default`, `strict` (unknown time counts against), "
        "`whole_fleet` (suspended time counts against)"
    )


class PeriodRow(_Row):
    """A group over a period, in whole seconds; `devices` had a slot in service in it."""

    intact_s: int
    impaired_s: int
    offline_s: int
    unknown_s: int
    suspended_s: int
    exempted_s: int
    intact_by_video_s: int = Field(description="Of `intact_s`: under a good video check")

    @property
    def amounts(self) -> Amounts:
        return Amounts(*(getattr(self, f"{name}_s") for name in STORED_AMOUNTS))


class DayRow(PeriodRow):
    """A group over one local day."""

    day: date


class NowRow(_Row):
    """A group at one tick, in devices."""

    intact: int
    impaired: int
    offline: int
    unknown: int
    suspended: int
    exempted: int
    intact_by_video: int = Field(description="Of `intact`: under a good video check")

    @property
    def amounts(self) -> Amounts:
        return Amounts(*(getattr(self, name) for name in STORED_AMOUNTS))


class MonthlyDocument(BaseModel):
    month: str
    timezone: str
    policy: str
    sealed: bool = Field(description="The figures stand, and change only by an amendment")
    version: int | None = Field(description="Of the seal; null while the month is open")
    sealed_at: datetime | None
    manifest_sha256: str | None = Field(description="Of the seal's manifest")
    total: PeriodRow
    rows: list[PeriodRow]


class DailyDocument(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    timezone: str
    policy: str
    total: PeriodRow
    rows: list[DayRow]


class NowDocument(BaseModel):
    tick: str | None = Field(description="Start of the last finished sweep's slot, local time")
    stale: bool = Field(description="No sweep for three slots: every unsuspended device is unknown")
    timezone: str
    policy: str
    total: NowRow
    rows: list[NowRow]


def period_fields(
    name: GroupName | None, devices: int, amounts: Amounts, policy: Policy
) -> dict[str, Any]:
    """The fields of a `PeriodRow`."""
    seconds = {f"{key}_s": getattr(amounts, key) for key in STORED_AMOUNTS}
    return _head(name, devices, amounts, policy) | seconds


def now_fields(name: GroupName | None, amounts: Amounts, policy: Policy) -> dict[str, Any]:
    """The fields of a `NowRow`."""
    counts = {key: getattr(amounts, key) for key in STORED_AMOUNTS}
    return _head(name, amounts.in_service, amounts, policy) | counts


def _head(name: GroupName | None, devices: int, amounts: Amounts, policy: Policy) -> dict[str, Any]:
    code, label = (name.code, name.name) if name else (None, None)
    figures = asdict(rates(amounts, policy)) | {"readings": readings(amounts)}
    return {"group": code, "name": label, "devices": devices, **figures}
