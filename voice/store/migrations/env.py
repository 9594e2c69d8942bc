"""Alembic's entry: runs the migrations on the connection that `voice.store.schema.open_index` hands over."""

from alembic import context

from voice.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
# BEGIN IMMEDIATE: of two processes that open a new index, the second waits and then finds it migrated
connection.exec_driver_sql("BEGIN IMMEDIATE")
with context.begin_transaction():
    context.run_migrations()
connection.commit()
