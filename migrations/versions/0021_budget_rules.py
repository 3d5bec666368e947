"""Shipped rules about the error budget"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

RULE = sa.table(
    "alert_rule",
    *(
        sa.column(name)
        for name in (
            "key", "metric", "period", "scope", "threshold", "recovery", "for_slots", "severity",
            "enabled", "shipped", "version",
        )
    ),
)  # fmt: skip
FIXED = {"period": "now", "scope": "fleet", "severity": "warning"}
ADDED = (
    {"metric": "budget_burn", "threshold": "3", "recovery": "2", "for_slots": 5},
    {"metric": "month_will_miss", "threshold": None, "recovery": None, "for_slots": 1},
)


def upgrade() -> None:
    shipped = {"enabled": True, "shipped": True, "version": 1}
    rows = [{"key": each["metric"], **each, **FIXED, **shipped} for each in ADDED]
    op.bulk_insert(RULE, rows)


def downgrade() -> None:
    keys = [each["metric"] for each in ADDED]
    op.execute(RULE.delete().where(RULE.c.key.in_(keys)))
