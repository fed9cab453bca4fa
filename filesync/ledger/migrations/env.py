"""Run by alembic with the connection that ledger.Ledger hands over; there is no other way to call it."""

from __future__ import annotations

from alembic import context

from filesync.ledger.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
