"""The public face of daywatch."""

__version__ = "0.1.0"
