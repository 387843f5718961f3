"""Alembic runs this for every command. The connection, and the transaction it is in, come from `hongyan.store.migrate`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
context.run_migrations()
