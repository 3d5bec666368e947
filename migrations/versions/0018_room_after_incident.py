"""A room that is down is told after an incident had time to explain it"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

FOR_SLOTS = sa.text(
    "UPDATE alert_rule SET for_slots = :slots WHERE key = 'room_down' AND version = 1"
)


def upgrade() -> None:
    op.execute(FOR_SLOTS.bindparams(slots=5))


def downgrade() -> None:
    op.execute(FOR_SLOTS.bindparams(slots=2))
