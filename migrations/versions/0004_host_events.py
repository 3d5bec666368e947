"""Events of the collector's host, and the history of the cameras' clocks"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "host_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("detail", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host_event")),
    )
    op.create_table(
        "clock_offset",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("offset_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_clock_offset_device_id")
        ),
        sa.PrimaryKeyConstraint("device_id", "at", name=op.f("pk_clock_offset")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("clock_offset")
    op.drop_table("host_event")
