"""The store's schema, step by step; Alembic runs it from `monitor.store.migrate`, without an alembic.ini."""
