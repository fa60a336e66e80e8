"""Alerts: a tree of blocks that every channel renders in its own way, and the way out through the outbox."""
