"""Indexes by which the first day in service and the critical devices are found among many"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_device_service_start", "device", [sa.text("coalesce(commissioned_on, registered_on)")]
    )
    op.create_index(
        "ix_device_critical",
        "device",
        ["id"],
        sqlite_where=sa.text("critical = 1"),
        postgresql_where=sa.text("critical"),
    )


def downgrade() -> None:
    op.drop_index("ix_device_critical", table_name="device")
    op.drop_index("ix_device_service_start", table_name="device")
