"""What the deep inspection observed of each device"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "observed",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("detail", sa.String(length=256), nullable=False),
        sa.Column("refused", sa.LargeBinary(length=16), nullable=True),
        sa.Column("inspected_at", sa.BigInteger(), nullable=True),
        sa.Column("vendor", sa.String(length=64), nullable=True),
        sa.Column("model", sa.String(length=64), nullable=True),
        sa.Column("serial", sa.String(length=64), nullable=True),
        sa.Column("firmware", sa.String(length=64), nullable=True),
        sa.Column("hardware_id", sa.String(length=64), nullable=True),
        sa.Column("mac", sa.String(length=17), nullable=True),
        sa.Column("resolution", sa.String(length=32), nullable=True),
        sa.Column("stream_uri", sa.String(length=512), nullable=True),
        sa.Column("snapshot_uri", sa.String(length=512), nullable=True),
        sa.Column("profiles", sa.JSON(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("capabilities", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_observed_device_id")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_observed")),
    )


def downgrade() -> None:
    op.drop_table("observed")
