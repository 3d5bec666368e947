"""Faults and incidents; how far those who follow the evidence have come"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    follower = op.create_table(
        "follower",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_follower")),
    )
    op.bulk_insert(follower, [{"name": name, "through": 0} for name in ("faults", "incidents")])
    op.create_table(
        "revised_device",
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_revised_device")),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("onset", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("devices", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index(op.f("ix_incident_opened_at"), "incident", ["opened_at"])
    op.create_index(
        "ix_incident_open", "incident", ["id"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    _create_fault()
    op.create_table(
        "fault_step",
        sa.Column("fault_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["fault_id"], ["fault.id"], name=op.f("fk_fault_step_fault_id")),
        sa.PrimaryKeyConstraint("fault_id", "at", name=op.f("pk_fault_step")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fault_watch",
        sa.Column("device_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("onset", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("worst", sa.SmallInteger(), nullable=False),
        sa.Column("failing", sa.Integer(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("good_since", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("seen", sa.SmallInteger(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_fault_watch_device_id")
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_fault_watch")),
    )


def _create_fault() -> None:
    op.create_table(
        "fault",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("onset", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("worst_status", sa.SmallInteger(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.Column("own_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_fault_device_id")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_fault_incident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fault")),
        sa.UniqueConstraint("device_id", "onset", name=op.f("uq_fault_device_id_onset")),
    )
    for column in ("onset", "opened_at", "closed_at", "incident_id"):
        op.create_index(op.f(f"ix_fault_{column}"), "fault", [column])


def downgrade() -> None:
    op.drop_table("fault_watch")
    op.drop_table("fault_step")
    op.drop_table("fault")
    op.drop_table("incident")
    op.drop_table("revised_device")
    op.drop_table("follower")
