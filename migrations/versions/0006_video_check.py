"""Results of the video check, and how much of the intact time stood on them"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COUNTED = ("ledger", "ledger_cohort", "sweep_count")


def upgrade() -> None:
    op.create_table(
        "video_state",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.String(length=256), nullable=False),
        sa.Column("doubted", sa.Boolean(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("outcome_detail", sa.String(length=256), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("picture_width", sa.Integer(), nullable=True),
        sa.Column("picture_height", sa.Integer(), nullable=True),
        sa.Column("picture_bytes", sa.Integer(), nullable=True),
        sa.Column("picture_detail", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_video_state_device_id")
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_video_state")),
    )
    op.create_table(
        "video_span",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_video_span_device_id")),
        sa.PrimaryKeyConstraint("device_id", "start", name=op.f("pk_video_span")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_video_span_end"), "video_span", ["end"], unique=False)
    for table in COUNTED:
        counted = sa.Column("intact_by_video", sa.Integer(), server_default="0", nullable=False)
        op.add_column(table, counted)


def downgrade() -> None:
    for table in COUNTED:
        op.drop_column(table, "intact_by_video")
    op.drop_index(op.f("ix_video_span_end"), "video_span")
    op.drop_table("video_span")
    op.drop_table("video_state")
