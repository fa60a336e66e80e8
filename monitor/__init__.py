"""The service: everything of daywatch that knows the world."""
