"""What a recipient is told of: alerts, seals or both"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "recipient", sa.Column("topics", sa.String(8), nullable=False, server_default="all")
    )


def downgrade() -> None:
    op.drop_column("recipient", "topics")
