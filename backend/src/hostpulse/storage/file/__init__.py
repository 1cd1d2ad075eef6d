"""Samples in files anyone can read: a journal of JSON lines, sealed into Parquet."""

from hostpulse.storage.file.storage import FileStorage

__all__ = ["FileStorage"]
