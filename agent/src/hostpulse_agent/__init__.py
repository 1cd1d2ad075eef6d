"""Reads this machine and reports it to a Hostpulse server."""

__version__ = "0.1.0"
