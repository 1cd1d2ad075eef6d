"""Every setting once: name, default and help; read from flags, the environment and a TOML file."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from socket import gethostname
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

ENVIRONMENT_PREFIX = "HOSTPULSE_"

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Amount = Annotated[int, Meta(ge=0)]
Bytes = Annotated[int, Meta(ge=1024)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


_ALLOWED = {
    "Port": "a whole number from 1 to 65535",
    "Count": "a whole number of at least 1",
    "Amount": "a whole number of at least 0",
    "Bytes": "a whole number of at least 1024",
    "Seconds": "a number of seconds above 0 and at most 3600",
    "str": "a text",
    "bool": "true or false",
}


class ConfigError(Exception):
    """A setting cannot be right; the message names it and says what to do."""


def _setting(default: Any, text: str) -> Any:
    return dataclasses.field(default=default, metadata={"help": text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings of the backend."""

    host: str = _setting(
        "127.0.0.1",
        "Address to listen on. Another than loopback needs an owner, and TLS: tls_cert, "
        "behind_proxy or, on a closed network, plain_http.",
    )
    port: Port = _setting(5000, "Port to listen on.")
    storage: str = _setting(
        "memory://",
        "Where samples rest: memory:// (the newest 1000 of each server, gone on restart), file: or "
        "file:FOLDER, postgresql://USER@HOST/DATABASE, influxdb://HOST:8086.",
    )
    raw_retention_hours: Amount = _setting(
        0,
        "How long samples are kept as they came; 0: what suits the storage. memory:// has no say.",
    )
    minute_retention_days: Count = _setting(30, "How long points of 1 minute are kept.")
    hour_retention_days: Count = _setting(730, "How long points of 1 hour are kept.")
    disk_budget_mb: Amount = _setting(
        0, "Disk space for samples, in MB; above it the oldest go first. 0: no limit. file: only."
    )
    data_dir: str = _setting(
        "",
        "Folder of Hostpulse's files; by default backend/data in a checkout, else the platform's.",
    )
    control: str = _setting(
        "",
        "Where servers are remembered: postgresql://user@host/database, or by default a file in "
        "data_dir. A URL with a password belongs into the environment or the file of settings.",
    )
    workers: Count = _setting(
        1,
        "Processes that serve; several need a storage and a control store that they can share.",
    )
    auth: bool = _setting(
        True, "Whether people sign in; if not, this machine may do everything, on loopback only."
    )
    oidc_issuer: str = _setting(
        "",
        "Issuer of the OpenID provider with which people may sign in, such as "
        "https://id.example.com; none by default.",
    )
    oidc_client_id: str = _setting("", "What the provider calls this server.")
    oidc_client_secret_file: str = _setting(
        "", "File with the secret that the provider gave out for oidc_client_id, if it did."
    )
    oidc_name: str = _setting("single sign-on", "What people call the provider.")
    oidc_scopes: str = _setting(
        "openid email profile", "What the provider is asked to tell; some want groups in it too."
    )
    oidc_sign_up: str = _setting(
        "",
        "Who comes in without an invitation: domains of verified e-mail addresses, such as "
        "@example.com, or claims, such as groups=ops, separated by commas; nobody by default.",
    )
    oidc_sign_up_role: str = _setting(
        "viewer", "Role of whoever comes in so: viewer, editor or admin."
    )
    public_url: str = _setting(
        "", "Address that people and agents type, such as https://monitor.example.com."
    )
    tls_cert: str = _setting("", "File with the certificate, and those between, for HTTPS.")
    tls_key: str = _setting("", "File with the key of tls_cert.")
    behind_proxy: str = _setting(
        "",
        "Addresses of the reverse proxies in front, separated by commas; only they may say who the "
        "client is.",
    )
    plain_http: bool = _setting(
        False, "Whether others may connect without TLS: everything can be read on the way."
    )
    cors_origins: str = _setting(
        "", "Origins that may read the API from other pages, separated by commas; none by default."
    )
    key_requests_per_minute: Count = _setting(
        600,
        "Requests that an agent's key or a personal token may make; enough for reports of every "
        "second and a day of them that waited. Each worker counts for itself, here and below.",
    )
    person_requests_per_minute: Count = _setting(
        1200, "Requests that one person may make, in all browsers; a page asks 24 times."
    )
    tenant_requests_per_minute: Count = _setting(
        120_000, "Requests that all keys and people of one organisation may make."
    )
    stranger_requests_per_minute: Count = _setting(
        600,
        "Requests that one address may make without a key or a session; one with a wrong key "
        "counts for ten.",
    )
    max_servers: Count = _setting(2000, "Servers that may report, of each organisation.")
    max_keyless_servers: Count = _setting(
        200, "Servers of each organisation that come by ingest keys, with none of their own."
    )
    max_custom_metrics: Count = _setting(200, "Numbers under `custom` that one server may report.")
    max_body_bytes: Bytes = _setting(1 << 20, "Largest request body.")
    max_inflated_bytes: Bytes = _setting(8 << 20, "Largest request body once unzipped.")
    header_timeout_seconds: Seconds = _setting(
        10.0, "Time a client has from its connection to the end of its request headers."
    )
    body_timeout_seconds: Seconds = _setting(10.0, "Time a client has to send a request body.")
    log_format: str = _setting("text", "Form of the log on standard error: text or json.")
    log_level: str = _setting("info", "Least serious log line: debug, info, warning or error.")


SETTINGS = dataclasses.fields(Config)


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None
) -> Config:
    """Return the settings: a flag wins over the environment, that over the file.

    Raises ConfigError.
    """
    chosen: dict[str, Any] = _read_file(file) if file else {}
    for setting in SETTINGS:
        variable = ENVIRONMENT_PREFIX + setting.name.upper()
        if variable in environment:
            chosen[setting.name] = environment[variable]
    chosen.update({name: value for name, value in flags.items() if value is not None})
    config = _convert(chosen)
    _check(config)
    return config


def _read_file(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"Cannot read the configuration file {file}: {error.strerror}."
        ) from error
    except ValueError as error:
        raise ConfigError(f"The configuration file {file} is not valid TOML: {error}.") from error
    unknown = sorted(set(found) - {setting.name for setting in SETTINGS})
    if unknown:
        raise ConfigError(f"The configuration file {file} has an unknown setting: {unknown[0]}.")
    return found


def _convert(chosen: dict[str, Any]) -> Config:
    try:
        return msgspec.convert(chosen, Config, strict=False)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`") or "settings"
        kind = next((setting.type for setting in SETTINGS if setting.name == name), "")
        allowed = _ALLOWED.get(str(kind), problem)
        raise ConfigError(f"{name}: use {allowed}, not {chosen.get(name)!r}.") from error


def _check(config: Config) -> None:
    if config.log_format not in ("text", "json"):
        raise ConfigError(f"log_format: use text or json, not {config.log_format!r}.")
    if config.log_level not in ("debug", "info", "warning", "error"):
        raise ConfigError("log_level: use debug, info, warning or error.")
    scheme = config.storage.partition(":")[0]
    if config.workers > 1 and scheme in ("memory", "file"):
        raise ConfigError(
            f"workers: {scheme}: allows one process, because each would keep samples of its own; "
            "use --workers 1, or --storage postgresql://… or influxdb://…."
        )
    if config.workers > 1 and not config.control:
        raise ConfigError(
            "workers: a control store in a file allows one process; use --workers 1, or --control "
            "postgresql://…."
        )
    if config.disk_budget_mb and scheme != "file":
        raise ConfigError(
            f"disk_budget_mb: only file: keeps to a budget, {scheme}: does not; leave it out, and "
            "say how long samples are kept instead (raw_retention_hours and those after it)."
        )
    if any("*" in origin for origin in origins(config)):
        raise ConfigError("cors_origins: name each origin; * would let every page read this API.")
    _check_exposure(config)


def _check_exposure(config: Config) -> None:
    if bool(config.tls_cert) != bool(config.tls_key):
        raise ConfigError("tls_cert, tls_key: name both files, or none.")
    if config.public_url and urlsplit(config.public_url).hostname is None:
        raise ConfigError("public_url: use an address such as https://monitor.example.com.")
    if config.behind_proxy and not config.auth:
        raise ConfigError(
            "auth: whoever comes through a proxy looks like this machine, so people have to sign "
            "in; leave --no-auth out, or --behind-proxy."
        )
    for proxy in filter(None, config.behind_proxy.split(",")):
        _check_proxy(proxy.strip())
    if is_loopback(config.host):
        return
    if not (config.tls_cert or config.behind_proxy or config.plain_http):
        raise ConfigError(
            f"host: {config.host} can be reached by others, and passwords and keys would travel "
            "readable; give --tls-cert and --tls-key, or --behind-proxy with the address of a "
            "proxy that has TLS, or --plain-http on a closed network."
        )
    if not config.auth:
        raise ConfigError(
            f"auth: {config.host} can be reached by others, so people have to sign in; leave "
            "--no-auth out, or use 127.0.0.1."
        )


def _check_proxy(proxy: str) -> None:
    try:
        is_everybody = ip_network(proxy).prefixlen == 0
    except ValueError as error:
        raise ConfigError(
            f"behind_proxy: use addresses or networks, such as 127.0.0.1 or 10.1.0.0/16, not "
            f"{proxy!r}."
        ) from error
    if is_everybody:
        raise ConfigError("behind_proxy: name the proxies; else any client may say who it is.")


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Tell whether an address or host name means this machine alone."""
    if host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def own_names(config: Config) -> frozenset[str]:
    """Return the names of hosts under which this server may be asked, besides addresses."""
    public = urlsplit(config.public_url).hostname or ""
    return frozenset({public, config.host.lower(), gethostname().lower()} - {""})


def address(config: Config) -> str:
    """Return the address that a person types."""
    if config.public_url:
        return config.public_url.rstrip("/")
    host = "localhost" if config.host in ("127.0.0.1", "0.0.0.0", "::1", "::") else config.host  # noqa: S104
    return f"{'https' if config.tls_cert else 'http'}://{host}:{config.port}"


def data_folder(config: Config) -> Path:
    """Return the folder of Hostpulse's files, made for this user alone if it is new.

    Raises ConfigError.
    """
    folder = Path(config.data_dir) if config.data_dir else usual_data_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"data_dir: cannot make the folder {folder} ({error.strerror}); choose one that this "
            "user may write to, with --data-dir."
        ) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(
            f"data_dir: this user may not write to {folder}; give it to this user, or choose "
            "another with --data-dir."
        )
    return folder


def usual_data_folder() -> Path:
    """Return where Hostpulse keeps its files if nobody says otherwise."""
    backend = Path(__file__).resolve().parents[2]
    if (backend / "pyproject.toml").is_file():
        return backend / "data"
    import platformdirs

    if getattr(os, "geteuid", lambda: -1)() == 0:
        return platformdirs.site_state_path("hostpulse", appauthor=False)
    return platformdirs.user_data_path("hostpulse", appauthor=False)


def origins(config: Config) -> list[str]:
    """Return the origins that may read the API from other pages."""
    return [origin.strip() for origin in config.cors_origins.split(",") if origin.strip()]
