"""The server runs in an environment of its own: nothing of it can be imported by the tests."""

collect_ignore = ["server.py"]
