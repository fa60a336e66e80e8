"""The service: it looks at row counts, judges what is complete, sends what waits, and says how it is."""
