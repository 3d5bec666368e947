"""Recipients of messages; each message is to one of them"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WAITING = sa.text("delivered_at IS NULL AND given_up_at IS NULL")


def upgrade() -> None:
    recipient = op.create_table(
        "recipient",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("address_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("min_severity", sa.String(length=16), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("from_settings", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("tested_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipient")),
        sa.UniqueConstraint("name", name=op.f("uq_recipient_name")),
    )
    op.execute(
        recipient.insert().values(
            name="INTACT_WEBHOOK_URL",
            channel="webhook",
            language="zh",
            min_severity="info",
            enabled=False,
            from_settings=True,
            changed_at=0,
        )
    )
    with op.batch_alter_table("notification") as table:
        table.alter_column("alert_id", existing_type=sa.Integer(), nullable=True)
        table.add_column(sa.Column("recipient_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("severity", sa.String(length=16), nullable=True))
        table.add_column(sa.Column("queued_at", sa.BigInteger(), nullable=True))
    op.execute(
        sa.text(
            "UPDATE notification SET severity = 'critical', queued_at = created_at, "
            "recipient_id = (SELECT id FROM recipient WHERE from_settings)"
        )
    )
    with op.batch_alter_table("notification") as table:
        table.alter_column("severity", existing_type=sa.String(length=16), nullable=False)
        table.alter_column("queued_at", existing_type=sa.BigInteger(), nullable=False)
        table.create_foreign_key(
            op.f("fk_notification_recipient_id"), "recipient", ["recipient_id"], ["id"]
        )
    op.create_index(
        "ix_notification_waiting",
        "notification",
        ["recipient_id", "next_attempt_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )


def downgrade() -> None:
    op.drop_index("ix_notification_waiting", table_name="notification")
    with op.batch_alter_table("notification") as table:
        table.drop_constraint(op.f("fk_notification_recipient_id"), type_="foreignkey")
        table.drop_column("queued_at")
        table.drop_column("severity")
        table.drop_column("recipient_id")
    op.drop_table("recipient")
