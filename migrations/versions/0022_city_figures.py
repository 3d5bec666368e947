"""The city's figures"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def _facts() -> list[Any]:
    return [
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("assessed_s", sa.Integer(), nullable=True),
        sa.Column("intact_s", sa.Integer(), nullable=True),
        sa.Column("file", sa.String(length=256), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(length=96), nullable=False),
    ]


def _figure_of(table: str) -> list[Any]:
    device = sa.ForeignKeyConstraint(
        ["device_id"], ["device.id"], name=op.f(f"fk_{table}_device_id")
    )
    return [
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_facts(),
        device,
    ]


def upgrade() -> None:
    op.create_table(
        "city_figure",
        *_figure_of("city_figure"),
        sa.PrimaryKeyConstraint("month", "device_id", name=op.f("pk_city_figure")),
    )
    op.create_table(
        "city_figure_version",
        *_figure_of("city_figure_version"),
        sa.PrimaryKeyConstraint(
            "month", "device_id", "version", name=op.f("pk_city_figure_version")
        ),
    )


def downgrade() -> None:
    op.drop_table("city_figure_version")
    op.drop_table("city_figure")
