"""The archived days"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archive_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("written_revision", sa.Integer(), nullable=True),
        sa.Column("written_at", sa.BigInteger(), nullable=True),
        sa.Column("samples", sa.Integer(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("next_sha256", sa.String(length=64), nullable=True),
        sa.Column("next_revision", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_archive_day")),
    )
    op.create_index(op.f("ix_archive_day_end"), "archive_day", ["end"])


def downgrade() -> None:
    op.drop_index(op.f("ix_archive_day_end"), table_name="archive_day")
    op.drop_table("archive_day")
