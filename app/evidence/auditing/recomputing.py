"""From samples to a day's ledger by DuckDB alone: the second way, which shares no code with the
first (`app.evidence.ledger`, `kpi.ledger`). Source: DESIGN §4.

What a day is made of is handed over once as tables of plain facts, as they stand in the database;
all that follows from them is SQL:

    device(device_id, has_ledger, first_day, end_day)           in service on [first_day, end_day)
    belongs(device_id, cohort_id, first_day, end_day, room, project, power_district)
    suspension(device_id, start_at, end_at)                     instants in UTC seconds
    exemption(scope, code, start_at, end_at)
    checked(device_id, start_at, end_at)                        a good video check held

The samples of a day are counted by class in one pass over its file. Only those that lie under a
suspension or an exemption are looked at again and taken away; they are few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from kpi.policy import Policy
from kpi.status import SlotClass

MEMORY = "1GB"
THREADS = 2
AMOUNTS = ("intact", "impaired", "offline", "unknown", "suspended", "exempted", "intact_by_video")
COUNTED = {
    "intact": SlotClass.INTACT,
    "impaired": SlotClass.IMPAIRED,
    "offline": SlotClass.OFFLINE,
}
"""What a sample counts as → the class of its status; other statuses are unknown."""

Columns = Mapping[str, Sequence[Any]]
"""A table: name of a column → its values."""


@dataclass(frozen=True, slots=True)
class AuditedDay:
    """A closed local day: its slots are `interval_s` long and start in `[start, end)`.

    `file` None: no file holds samples of it. `hot`: columns device_id, tick, status of samples that
    no file holds.
    """

    day: date
    start: int
    end: int
    interval_s: int
    file: Path | None
    hot: Columns | None = None


class Recount:
    """Counts days anew from the facts given; to be closed, or used as a context."""

    def __init__(self, facts: Mapping[str, Columns], policy: Policy) -> None:
        """`facts`: the tables above."""
        self._connection = duckdb.connect(":memory:")
        self._connection.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {THREADS}")
        self._connection.execute("SET preserve_insertion_order = false")
        for name, columns in facts.items():
            self._load(name, columns)
        self._connection.execute(_ISLANDS)
        conditions = {name: _is_of(policy, which) for name, which in COUNTED.items()}
        counts = (f"sum(n) FILTER ({each}) AS {name}" for name, each in conditions.items())
        self._sums, self._intact = ", ".join(counts), conditions["intact"]

    def __enter__(self) -> "Recount":
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def count(self, day: AuditedDay) -> dict[int, tuple[int, ...]]:
        """Device id → seconds as `AMOUNTS` names them, of every device in service on the day.

        Raises `duckdb.Error` where the file cannot be read.
        """
        self._prepare(day)
        found = self._connection.execute(_LEDGER, {"step": day.interval_s}).fetchall()
        return {device_id: tuple(seconds) for device_id, *seconds in found}

    def cohorts(self) -> dict[int, int]:
        """Device id → the cohort to which it belongs on the day counted last."""
        return dict(self._connection.execute("SELECT device_id, cohort_id FROM here").fetchall())

    def _prepare(self, day: AuditedDay) -> None:
        """The tables of one day, from `slot` to what the last query puts together."""
        run = self._connection.execute
        bounds = {"start": day.start, "end": day.end}
        run(_SLOTS, {**bounds, "step": day.interval_s})
        run(_HERE, {"day": day.day})
        run(_COVERED)
        self._load("hot", day.hot or _NO_SAMPLES)
        source = _HOT if day.file is None else _filed(day.file, is_alone=day.hot is None)
        run(_SAMPLES.format(source=source, step=day.interval_s, **bounds))
        run(_TOLD.format(sums=self._sums))
        run(_HIDDEN.format(sums=self._sums))
        run(_CHECKED.format(intact=self._intact, **bounds))

    def _load(self, name: str, columns: Columns) -> None:
        """A table of facts; loaded by way of Arrow, which keeps `None` and the types."""
        import pyarrow

        types = {key: _arrow_type(pyarrow, key) for key in columns}
        table = pyarrow.table(
            {key: pyarrow.array(values, types[key]) for key, values in columns.items()}
        )
        self._connection.register("incoming", table)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM incoming")
        self._connection.unregister("incoming")


def _is_of(policy: Policy, slot_class: SlotClass) -> str:
    codes = [str(int(status)) for status, found in policy.classes.items() if found is slot_class]
    return f"status IN ({', '.join(codes)})" if codes else "false"


def _arrow_type(pyarrow: Any, column: str) -> Any:
    if column.endswith("_day"):
        return pyarrow.date32()
    if column in ("scope", "code", "room", "project", "power_district"):
        return pyarrow.string()
    if column == "has_ledger":
        return pyarrow.bool_()
    return pyarrow.uint8() if column == "status" else pyarrow.int64()


def _filed(file: Path, *, is_alone: bool) -> str:
    """A day's file, and the samples that came after it; what the file holds already stays."""
    path = str(file).replace("'", "''")
    of_file = f"SELECT device_id, tick, status FROM read_parquet('{path}')"  # noqa: S608 - a path of ours
    if is_alone:
        return of_file
    return f"{of_file} UNION ALL {_HOT} ANTI JOIN ({of_file}) AS filed USING (device_id, tick)"


_HOT = "SELECT device_id, tick, status FROM hot"
_NO_SAMPLES: Columns = {"device_id": [], "tick": [], "status": []}

_ISLANDS = """
CREATE TEMP TABLE island AS
WITH marked AS (
    SELECT *, start_at > coalesce(max(end_at) OVER (
        PARTITION BY device_id ORDER BY start_at, end_at
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), -1) AS is_first
    FROM checked
), numbered AS (
    SELECT *, count(*) FILTER (WHERE is_first) OVER (
        PARTITION BY device_id ORDER BY start_at, end_at) AS number
    FROM marked
)
SELECT device_id, min(start_at) AS start_at, max(end_at) AS end_at
FROM numbered GROUP BY device_id, number
"""
"""Good checks that follow each other without a gap, as one."""

_SLOTS = """
CREATE OR REPLACE TEMP TABLE slot AS SELECT range AS tick FROM range($start, $end, $step)
"""
_HERE = """
CREATE OR REPLACE TEMP TABLE here AS
SELECT belongs.* EXCLUDE (first_day, end_day), device.code AS device
FROM belongs JOIN device USING (device_id)
WHERE has_ledger
    AND device.first_day <= $day AND ($day < device.end_day OR device.end_day IS NULL)
    AND belongs.first_day <= $day AND ($day < belongs.end_day OR belongs.end_day IS NULL)
"""
"""The devices in service on the day, and where they belong."""

_SAMPLES = """
CREATE OR REPLACE TEMP VIEW sample AS
SELECT device_id, tick, status FROM ({source})
WHERE tick >= {start} AND tick < {end} AND (tick - {start}) % {step} = 0
"""
_COVERED = """
CREATE OR REPLACE TEMP TABLE covered AS
WITH fact AS (
    SELECT device_id, start_at, end_at, 0 AS rank FROM suspension SEMI JOIN here USING (device_id)
    UNION ALL
    SELECT device_id, start_at, end_at, 1 AS rank FROM exemption JOIN here ON exemption.code =
        CASE scope WHEN 'device' THEN device WHEN 'room' THEN room WHEN 'project' THEN project
            WHEN 'power_district' THEN power_district END
)
SELECT device_id, tick, min(rank) AS rank
FROM fact JOIN slot ON tick >= start_at AND (tick < end_at OR end_at IS NULL)
GROUP BY device_id, tick
"""
"""The slots that are suspended (0), or else exempted (1)."""

_TOLD = """
CREATE OR REPLACE TEMP TABLE told AS SELECT device_id, {sums} FROM (
    SELECT device_id, status, count(*) AS n FROM sample GROUP BY device_id, status
) GROUP BY device_id
"""
_HIDDEN = """
CREATE OR REPLACE TEMP TABLE hidden AS SELECT device_id, {sums} FROM (
    SELECT device_id, status, count(*) AS n
    FROM (SELECT * FROM sample WHERE device_id IN (SELECT device_id FROM covered)) AS s
    SEMI JOIN covered USING (device_id, tick)
    GROUP BY device_id, status
) GROUP BY device_id
"""
"""The samples that count for nothing, for something lies over their slots."""

_CHECKED = """
CREATE OR REPLACE TEMP TABLE by_video AS
WITH whole AS (
    SELECT DISTINCT device_id FROM island WHERE start_at <= {start} AND end_at >= {end}
), part AS (
    SELECT island.* FROM island ANTI JOIN whole USING (device_id)
    WHERE start_at < {end} AND end_at > {start}
)
SELECT device_id, NULL AS slots FROM whole
UNION ALL
SELECT device_id, count(*) FROM (
    SELECT device_id, tick FROM sample
    WHERE {intact} AND device_id IN (SELECT device_id FROM part)
) AS good
JOIN part USING (device_id)
ANTI JOIN covered ON good.device_id = covered.device_id AND good.tick = covered.tick
WHERE tick >= start_at AND tick < end_at
GROUP BY device_id
"""
"""How many intact slots had a valid good check; null: all that are intact."""

_LEDGER = """
WITH over AS (
    SELECT device_id, count(*) FILTER (WHERE rank = 0) AS suspended,
        count(*) FILTER (WHERE rank = 1) AS exempted
    FROM covered GROUP BY device_id
), counted AS (
    SELECT device_id, (SELECT count(*) FROM slot) AS slots,
        coalesce(told.intact, 0) - coalesce(hidden.intact, 0) AS intact,
        coalesce(told.impaired, 0) - coalesce(hidden.impaired, 0) AS impaired,
        coalesce(told.offline, 0) - coalesce(hidden.offline, 0) AS offline,
        coalesce(suspended, 0) AS suspended, coalesce(exempted, 0) AS exempted,
        by_video.device_id IS NOT NULL AS is_checked, by_video.slots AS checked
    FROM here LEFT JOIN told USING (device_id) LEFT JOIN hidden USING (device_id)
    LEFT JOIN over USING (device_id) LEFT JOIN by_video USING (device_id)
)
SELECT device_id, $step * intact, $step * impaired, $step * offline,
    $step * (slots - intact - impaired - offline - suspended - exempted),
    $step * suspended, $step * exempted,
    $step * CASE WHEN is_checked THEN coalesce(checked, intact) ELSE 0 END
FROM counted ORDER BY device_id
"""
