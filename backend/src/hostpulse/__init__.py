"""Receives, stores and shows what the agents report."""

__version__ = "0.1.0"
