"""Alert rules, with those that are shipped; alerts of any place; silences"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OPEN = sa.text("resolved_at IS NULL")
SHIPPED = (
    # key, metric, period, scope, threshold, recovery, slots, severity
    ("fleet_intact_rate", "intact_rate", "now", "fleet", "0.98", "0.982", 5, "critical"),
    ("fleet_intact_month", "intact_rate", "month", "fleet", "0.98", "0.98", 1, "warning"),
    ("fleet_suspended", "suspended_rate", "now", "fleet", "0.03", "0.03", 5, "warning"),
    ("room_down", "room_down", "now", "room", None, None, 2, "critical"),
    ("incident", "incident", "now", "fleet", None, None, 1, "critical"),
    ("evidence_missing", "collector_silent", "now", "fleet", None, None, 3, "critical"),
    ("coverage_low", "coverage", "now", "fleet", "0.95", "0.95", 3, "critical"),
    ("clock_wrong", "clock_wrong", "now", "fleet", "0.05", "0.05", 5, "warning"),
    ("disk_low", "disk_low", "now", "fleet", "0.1", "0.12", 1, "critical"),
)


def upgrade() -> None:
    _create_rules()
    op.create_table(
        "silence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=True),
        sa.Column("scope", sa.String(length=16), nullable=True),
        sa.Column("scope_code", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("created_by", sa.String(length=96), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=96), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index(op.f("ix_silence_until"), "silence", ["until"])
    op.drop_index("uq_alert_open", table_name="alert")
    for name, length, default in (  # no batch: messages refer to the table
        ("metric", 32, "intact_rate"),
        ("scope", 16, "fleet"),
        ("scope_code", 64, ""),
        ("scope_name", 128, ""),
        ("severity", 16, "critical"),
    ):
        column = sa.Column(name, sa.String(length), nullable=False, server_default=default)
        op.add_column("alert", column)
    op.add_column("alert", sa.Column("pending", sa.String(16), nullable=True))
    op.add_column("alert", sa.Column("told_at", sa.BigInteger(), nullable=True))
    op.add_column("alert", sa.Column("acknowledged_at", sa.BigInteger(), nullable=True))
    op.add_column("alert", sa.Column("acknowledged_by", sa.String(96), nullable=True))
    op.add_column("alert", sa.Column("note", sa.String(512), nullable=True))
    op.add_column("alert", sa.Column("escalated_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE alert SET metric = 'collector_silent' WHERE kind = 'evidence_missing'")
    op.execute("UPDATE alert SET told_at = opened_at")
    op.create_index(
        "uq_alert_open",
        "alert",
        ["kind", "scope", "scope_code"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    waits = sa.text("pending IS NOT NULL")
    op.create_index("ix_alert_pending", "alert", ["id"], sqlite_where=waits, postgresql_where=waits)


def _create_rules() -> None:
    rules = op.create_table(
        "alert_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("metric", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("scope_code", sa.String(length=64), nullable=True),
        sa.Column("threshold", sa.String(length=16), nullable=True),
        sa.Column("recovery", sa.String(length=16), nullable=True),
        sa.Column("for_slots", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_to", sa.Integer(), nullable=True),
        sa.Column("repeat_s", sa.Integer(), nullable=True),
        sa.Column("escalate_after_s", sa.Integer(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("shipped", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=96), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rule")),
        sa.UniqueConstraint("key", name=op.f("uq_alert_rule_key")),
    )
    names = ("key", "metric", "period", "scope", "threshold", "recovery", "for_slots", "severity")
    fixed = {"enabled": True, "shipped": True, "version": 1}
    op.bulk_insert(rules, [dict(zip(names, row, strict=True)) | fixed for row in SHIPPED])
    op.create_table(
        "alert_rule_recipient",
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.Integer(), nullable=False),
        sa.Column("escalates", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["alert_rule.id"], name=op.f("fk_alert_rule_recipient_rule_id")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["recipient.id"], name=op.f("fk_alert_rule_recipient_recipient_id")
        ),
        sa.PrimaryKeyConstraint(
            "rule_id", "recipient_id", "escalates", name=op.f("pk_alert_rule_recipient")
        ),
    )


def downgrade() -> None:
    op.drop_index("ix_alert_pending", table_name="alert")
    op.drop_index("uq_alert_open", table_name="alert")
    added = ("metric", "scope", "scope_code", "scope_name", "severity", "pending", "told_at")
    for name in (*added, "acknowledged_at", "acknowledged_by", "note", "escalated_at"):
        op.drop_column("alert", name)
    op.create_index(
        "uq_alert_open", "alert", ["kind"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.drop_table("silence")
    op.drop_table("alert_rule_recipient")
    op.drop_table("alert_rule")
