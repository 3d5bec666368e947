"""What cameras said of the passwords shown to them"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "password_verdict",
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("scheme", sa.String(length=16), nullable=True),
        sa.Column("clock_offset_s", sa.BigInteger(), nullable=True),
        sa.Column("refused_until", sa.BigInteger(), nullable=True),
        sa.Column("doubted_until", sa.BigInteger(), nullable=True),
        sa.Column("refusals", sa.SmallInteger(), nullable=False),
        sa.Column("learnt_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_password_verdict")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("password_verdict")
