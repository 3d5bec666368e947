"""Sealed months, each version with its manifest; append-only"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER month_seal_stays_{what.lower()} BEFORE {what} ON month_seal BEGIN "
    "SELECT RAISE(ABORT, 'sealed months are append-only'); END"
    for what in ("UPDATE", "DELETE")
)
POSTGRESQL_GUARDS = (
    """
    CREATE FUNCTION refuse_seal_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'sealed months are append-only';
    END $$
    """,
    "CREATE TRIGGER month_seal_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON month_seal "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_seal_change()",
)


def upgrade() -> None:
    op.create_table(
        "month_seal",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_by", sa.String(length=96), nullable=False),
        sa.Column("reason", sa.String(length=512), nullable=True),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("month", "version", name=op.f("pk_month_seal")),
    )
    op.create_table(
        "month_amendment",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("begun_by", sa.String(length=96), nullable=False),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_month_amendment")),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for guard in SQLITE_GUARDS if is_sqlite else POSTGRESQL_GUARDS:
        op.execute(guard)


def downgrade() -> None:
    op.drop_table("month_amendment")
    op.drop_table("month_seal")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_seal_change()")
