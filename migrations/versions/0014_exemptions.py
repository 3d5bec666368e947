"""Times that are left out of assessment"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _facts() -> list[sa.Column[object]]:
    return [
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("approved_by", sa.String(length=128), nullable=False),
        sa.Column("document", sa.String(length=256), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "exemption",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_facts(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exemption")),
        sa.UniqueConstraint("scope", "code", "start", name=op.f("uq_exemption_scope_code_start")),
    )
    op.create_table(
        "exemption_version",
        sa.Column("exemption_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_facts(),
        sa.ForeignKeyConstraint(
            ["exemption_id"], ["exemption.id"], name=op.f("fk_exemption_version_exemption_id")
        ),
        sa.PrimaryKeyConstraint("exemption_id", "version", name=op.f("pk_exemption_version")),
    )


def downgrade() -> None:
    op.drop_table("exemption_version")
    op.drop_table("exemption")
