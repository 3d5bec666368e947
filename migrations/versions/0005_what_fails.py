"""What fails is found by itself: an index of such samples, the state before the present one"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FAILING = sa.text("status > 0")


def upgrade() -> None:
    op.add_column("device_state", sa.Column("previous", sa.SmallInteger(), nullable=True))
    op.create_index("ix_device_state_since", "device_state", ["since"])
    op.create_index(
        "ix_sample_failing",
        "sample",
        ["device_id", "tick", "status"],
        sqlite_where=FAILING,
        postgresql_where=FAILING,
    )


def downgrade() -> None:
    op.drop_index("ix_sample_failing", table_name="sample")
    op.drop_index("ix_device_state_since", table_name="device_state")
    with op.batch_alter_table("device_state") as batch_op:
        batch_op.drop_column("previous")
