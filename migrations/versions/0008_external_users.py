"""Users who sign in at an OpenID provider"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("user_account") as table:
        table.add_column(sa.Column("external_id", sa.String(length=64), nullable=True))
        table.create_unique_constraint(op.f("uq_user_account_external_id"), ["external_id"])
