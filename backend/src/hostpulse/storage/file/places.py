"""Where everything lies in the folder; no file or folder is named by what a server says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import msgspec

from hostpulse.storage.file.durable import make_folder, write_file
from hostpulse.storage.tiers import DAY_MS, HOUR_MS

_PLAIN = re.compile(r"[a-z0-9]+_[a-z0-9_]{1,60}")  # with _ it is no reserved name of Windows
OWNER_FILE = "server.json"
SUFFIX = ".parquet"
RAW, MINUTE, HOUR = "raw", "1m", "1h"


class Owner(msgspec.Struct, frozen=True):
    """Whose folder it is; tells people which folder to look into."""

    tenant: str
    server: str


def tenant_folder(root: Path, tenant: str) -> Path:
    """Return the folder of all folders of a tenant's servers."""
    return root / "tenants" / _hash(tenant)


def server_folder(root: Path, tenant: str, server: str) -> Path:
    """Return the folder of a server's Parquet files."""
    name = server if _PLAIN.fullmatch(server) else f"x-{_hash(server)}"
    return tenant_folder(root, tenant) / name


def make_server_folder(folder: Path, owner: Owner) -> None:
    """Make the folder of a server with the file that says whose it is."""
    if not (folder / OWNER_FILE).is_file():
        make_folder(folder)
        write_file(folder / OWNER_FILE, msgspec.json.format(msgspec.json.encode(owner)) + b"\n")


def read_owner(folder: Path) -> Owner:
    """Return whose folder it is; raises OSError or msgspec.MsgspecError."""
    return msgspec.json.decode((folder / OWNER_FILE).read_bytes(), type=Owner)


def hour_name(start_ms: int) -> str:
    """Return the name of an hour's file."""
    return f"{_utc(start_ms):%Y-%m-%dT%H}{SUFFIX}"


def day_name(start_ms: int) -> str:
    """Return the name of a day's file."""
    return f"{_utc(start_ms):%Y-%m-%d}{SUFFIX}"


def month_name(start_ms: int) -> str:
    """Return the name of a month's file."""
    return f"{_utc(start_ms):%Y-%m}{SUFFIX}"


def moment(time_ms: int) -> str:
    """Return a time as people read it."""
    return f"{_utc(time_ms):%Y-%m-%dT%H:%MZ}"


def month_start(time_ms: int) -> int:
    """Return when the month of a time began."""
    return _ms(_utc(time_ms).replace(day=1, hour=0, minute=0, second=0, microsecond=0))


def span(name: str) -> tuple[int, int] | None:
    """Return start and end of the hour, day or month that a file is named by, None for others."""
    stem = name.removesuffix(SUFFIX)
    for form, length_ms in (("%Y-%m-%dT%H", HOUR_MS), ("%Y-%m-%d", DAY_MS), ("%Y-%m", 0)):
        try:
            start_ms = _ms(datetime.strptime(stem, form).replace(tzinfo=UTC))
        except ValueError:
            continue
        return start_ms, start_ms + length_ms if length_ms else month_start(start_ms + 31 * DAY_MS)
    return None


def _utc(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
