from alembic import context

import dtmodel_alembic
from models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    **dtmodel_alembic.options(Base.metadata),
)
with context.begin_transaction():
    context.run_migrations()
