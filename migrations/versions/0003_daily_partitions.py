"""Daily partitions of the samples, on PostgreSQL

Rows are copied day by day into the partitions of `app.evidence.partitions`: a partition for each
local day that has evidence, in the time zone of the evidence.
"""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from kpi.calendar import day_bounds

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    _make_anew(postgresql_partition_by="RANGE (tick)")
    zone = op.get_bind().scalar(sa.text("SELECT timezone FROM evidence_zone"))
    days = op.get_bind().scalars(sa.text("SELECT day FROM evidence_day ORDER BY day")).all()
    for day in days:
        _copy(day, ZoneInfo(zone))
    before = op.get_bind().scalar(sa.text("SELECT count(*) FROM sample_before"))
    after = op.get_bind().scalar(sa.text("SELECT count(*) FROM sample"))
    if before != after:
        raise RuntimeError(
            f"only {after} of {before} samples are of a day of evidence; nothing done"
        )
    op.drop_table("sample_before")


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    _make_anew()
    op.execute("INSERT INTO sample SELECT * FROM sample_before")
    op.drop_table("sample_before")


def _make_anew(**options: Any) -> None:
    """An empty table `sample`; the one that was there is `sample_before`."""
    op.rename_table("sample", "sample_before")
    op.execute("ALTER TABLE sample_before RENAME CONSTRAINT pk_sample TO pk_sample_before")
    op.create_table(
        "sample",
        sa.Column("tick", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("latency_ms", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tick", "device_id", name=op.f("pk_sample")),
        **options,
    )


def _copy(day: date, zone: ZoneInfo) -> None:
    start, end = day_bounds(day, zone)
    op.execute(
        f"CREATE TABLE sample_{day:%Y%m%d} PARTITION OF sample FOR VALUES FROM ({start}) TO ({end})"
    )
    op.get_bind().execute(
        sa.text(
            "INSERT INTO sample SELECT * FROM sample_before "
            "WHERE tick >= :start AND tick < :end ORDER BY tick, device_id"
        ),
        {"start": start, "end": end},
    )
